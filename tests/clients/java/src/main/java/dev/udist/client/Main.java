package dev.udist.client;

import dev.udist.plugin.v1.Response;
import io.grpc.Status;
import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;

/** Pushes and pulls through the plugin at the socket that its argument names. */
final class Main {
    private static final int LENGTH = 20_000_000;

    public static void main(String[] arguments) throws Exception {
        byte[] blob = new byte[LENGTH];
        new Random(1).nextBytes(blob);
        String digest = "sha256:" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(blob));
        String target = "/v2/demo/blobs/" + digest;
        try (Registry registry = new Registry(arguments[0])) {
            String push = "/v2/demo/blobs/uploads/?digest=" + digest;
            Map<String, String> length = Map.of("content-length", String.valueOf(LENGTH));
            check("push", 201, registry.begin("POST", push, length, blob), new byte[0]);
            check("pull", 200, registry.begin("GET", target, Map.of(), new byte[0]), blob);
            Map<String, String> range = Map.of("range", "bytes=1000-1999");
            check("range", 206, registry.begin("GET", target, range, new byte[0]), Arrays.copyOfRange(blob, 1000, 2000));
            check("head", 200, registry.begin("HEAD", target, Map.of(), new byte[0]), new byte[0]);
            cancel(registry.begin("GET", target, Map.of(), new byte[0]));
            Response refused = registry.begin("PUT", "/v2/demo/blobs/uploads/no?digest=" + digest, length, blob).head();
            expect("refused push", 404, refused.getStatus());
            check("ping", 200, registry.begin("GET", "/v2/", Map.of(), new byte[0]), "{}".getBytes());
        }
    }

    private static void check(String what, int status, Exchange exchange, byte[] content) throws Exception {
        expect(what, status, exchange.head().getStatus());
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        for (byte[] piece = exchange.read(); piece.length > 0; piece = exchange.read()) {
            received.write(piece);
        }
        expect(what + ": content", true, Arrays.equals(content, received.toByteArray()));
        expect(what + ": call", Status.Code.OK, exchange.status().getCode());
        System.out.println(what);
    }

    private static void cancel(Exchange exchange) throws Exception {
        expect("canceled pull", true, exchange.read().length > 0);
        exchange.cancel();
        expect("canceled pull", Status.Code.CANCELLED, exchange.status().getCode());
        System.out.println("cancel");
    }

    private static void expect(String what, Object wanted, Object got) {
        if (!wanted.equals(got)) {
            throw new AssertionError(what + ": got " + got + ", expected " + wanted);
        }
    }
}
