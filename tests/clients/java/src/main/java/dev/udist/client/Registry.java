package dev.udist.client;

import com.google.protobuf.ByteString;
import dev.udist.plugin.v1.Field;
import dev.udist.plugin.v1.Request;
import dev.udist.plugin.v1.RoundTripRequest;
import dev.udist.plugin.v1.RoundTripResponse;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.protobuf.ProtoUtils;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The registry of a plugin, at a Unix-domain socket. */
final class Registry implements AutoCloseable {
    /** What a generated stub has; the one method needs no generator. */
    private static final MethodDescriptor<RoundTripRequest, RoundTripResponse> ROUND_TRIP =
            MethodDescriptor.<RoundTripRequest, RoundTripResponse>newBuilder()
                    .setType(MethodType.BIDI_STREAMING)
                    .setFullMethodName("udist.plugin.v1.PluginService/RoundTrip")
                    .setRequestMarshaller(ProtoUtils.marshaller(RoundTripRequest.getDefaultInstance()))
                    .setResponseMarshaller(ProtoUtils.marshaller(RoundTripResponse.getDefaultInstance()))
                    .build();

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final ManagedChannel channel;

    Registry(String socket) {
        channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(socket))
                .eventLoopGroup(group)
                .channelType(EpollDomainSocketChannel.class)
                .maxInboundMessageSize(2 << 20)
                .usePlaintext()
                .build();
    }

    /** Begins an exchange, and sends its content as the plugin grants credit for it. */
    Exchange begin(String method, String target, Map<String, String> fields, byte[] content)
            throws InterruptedException {
        Request.Builder head = Request.newBuilder()
                .setMethod(method)
                .setScheme("http")
                .setAuthority("localhost")
                .setTarget(target);
        fields.forEach((name, value) ->
                head.addFields(Field.newBuilder().setName(name).setValue(ByteString.copyFromUtf8(value))));
        CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS);
        Exchange exchange = new Exchange(channel.newCall(ROUND_TRIP, options));
        exchange.send(head.build(), content);
        return exchange;
    }

    @Override
    public void close() throws InterruptedException {
        channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(10, TimeUnit.SECONDS);
    }
}
