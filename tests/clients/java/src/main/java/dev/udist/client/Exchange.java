package dev.udist.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.udist.plugin.v1.End;
import dev.udist.plugin.v1.Request;
import dev.udist.plugin.v1.Response;
import dev.udist.plugin.v1.RoundTripRequest;
import dev.udist.plugin.v1.RoundTripResponse;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** One HTTP exchange. One thread uses it; gRPC's own threads only add what has arrived. */
final class Exchange extends ClientCall.Listener<RoundTripResponse> {
    private static final int CREDIT = 65536;
    private static final int MAX_DATA = 1 << 20;

    private final ClientCall<RoundTripRequest, RoundTripResponse> call;
    private final BlockingQueue<Object> arrived = new LinkedBlockingQueue<>(); // messages, and a Status at the end
    private Response head;
    private ByteString content = ByteString.EMPTY; // received, and not read yet
    private long credit = CREDIT; // bytes that may be sent
    private int read; // bytes that were read since credit was granted
    private boolean ended;

    Exchange(ClientCall<RoundTripRequest, RoundTripResponse> call) {
        this.call = call;
        call.start(this, new Metadata());
        call.request(1);
    }

    @Override
    public void onMessage(RoundTripResponse message) {
        arrived.add(message);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
        arrived.add(status);
    }

    void send(Request request, byte[] body) throws InterruptedException {
        RoundTripRequest.Builder message = RoundTripRequest.newBuilder().setHead(request);
        int sent = 0;
        do {
            while (sent < body.length && credit == 0 && !ended) {
                receive();
            }
            int length = (int) Math.min(Math.min(body.length - sent, credit), MAX_DATA);
            message.setData(UnsafeByteOperations.unsafeWrap(body, sent, length));
            credit -= length;
            sent += length;
            if (sent == body.length) {
                message.setEnd(End.getDefaultInstance());
            }
            call.sendMessage(message.build());
            message.clear();
        } while (sent < body.length && !ended); // a response may end before its request
    }

    /** The head of the response. */
    Response head() throws InterruptedException {
        while (head == null) {
            receive();
        }
        return head;
    }

    /** What comes next of the content; nothing at its end. */
    byte[] read() throws InterruptedException {
        while (content.isEmpty() && !ended) {
            receive();
        }
        byte[] bytes = content.toByteArray();
        content = ByteString.EMPTY;
        read += bytes.length;
        if (read >= CREDIT / 2 && !ended) {
            call.sendMessage(RoundTripRequest.newBuilder().setCredit(read).build());
            read = 0;
        }
        return bytes;
    }

    /** The status with which the call ends. */
    Status status() throws InterruptedException {
        while (true) {
            if (arrived.take() instanceof Status status) {
                return status;
            }
        }
    }

    void cancel() {
        call.cancel("no longer needed", null);
    }

    private void receive() throws InterruptedException {
        Object next = arrived.take();
        if (next instanceof Status status) {
            throw status.asRuntimeException();
        }
        RoundTripResponse message = (RoundTripResponse) next;
        call.request(1);
        if (message.hasHead()) {
            head = message.getHead();
        }
        credit += message.getCredit();
        content = content.concat(message.getData());
        ended = message.hasEnd();
    }
}
