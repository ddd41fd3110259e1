package main

import (
	"context"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The rival is a plain gRPC server in Go: it streams messages from memory, or takes them and drops them.

const message = 1 << 20

var description = grpc.ServiceDesc{
	ServiceName: "Rival",
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{
		{StreamName: "Pull", ServerStreams: true, ClientStreams: true, Handler: servePull},
		{StreamName: "Push", ServerStreams: true, ClientStreams: true, Handler: servePush},
	},
}

// serveRival serves on a Unix socket until the process is killed.
func serveRival(path string) error {
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(2 * message))
	server.RegisterService(&description, nil)
	return server.Serve(listener)
}

// servePull is told how many messages to send.
func servePull(_ any, stream grpc.ServerStream) error {
	var asked wrapperspb.Int64Value
	if err := stream.RecvMsg(&asked); err != nil {
		return err
	}
	data := &wrapperspb.BytesValue{Value: make([]byte, message)}
	for range asked.Value {
		if err := stream.SendMsg(data); err != nil {
			return err
		}
	}
	return nil
}

func servePush(_ any, stream grpc.ServerStream) error {
	for {
		var data wrapperspb.BytesValue
		switch err := stream.RecvMsg(&data); err {
		case nil:
		case io.EOF:
			return stream.SendMsg(&wrapperspb.Int64Value{})
		default:
			return err
		}
	}
}

func pullFromRival(conn *grpc.ClientConn, size int) error {
	stream, err := conn.NewStream(context.Background(), &description.Streams[0], "/Rival/Pull")
	if err != nil {
		return err
	}
	if err := stream.SendMsg(wrapperspb.Int64(int64(size / message))); err != nil {
		return err
	}
	for {
		var data wrapperspb.BytesValue
		if err := stream.RecvMsg(&data); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func pushToRival(conn *grpc.ClientConn, content io.Reader) error {
	stream, err := conn.NewStream(context.Background(), &description.Streams[1], "/Rival/Push")
	if err != nil {
		return err
	}
	for {
		data := make([]byte, message)
		n, err := io.ReadFull(content, data)
		if n > 0 {
			if err := stream.SendMsg(&wrapperspb.BytesValue{Value: data[:n]}); err != nil {
				return err
			}
		}
		if err != nil {
			break
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var done wrapperspb.Int64Value
	return stream.RecvMsg(&done)
}
