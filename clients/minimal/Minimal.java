import static java.nio.charset.StandardCharsets.*;
import java.io.*;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.util.*;
import java.util.concurrent.*;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/** A minimal client of the udist plugin protocol (proto/PROTOCOL.md), for one exchange at a time. Its main program
 *  takes the commands {@code start}, {@code exchange} and {@code close} of udist_plugin/docs/callers.md. */
final class Minimal {
    static final int SETTINGS = 3, REQUEST = 4, RESPONSE = 5, END = 6, WINDOW_UPDATE = 7, RESET = 8, PING = 9,
        GO_AWAY = 10, LOG = 11, DATA = 15, INTERNAL = 13, UNAVAILABLE = 14, CREDIT = 1 << 18, PAYLOAD = 1 << 20;
    static final List<String> CODES = List.of("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED",
        "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
        "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED");
    /** Protobuf to write: a field is a key, and then a varint, or a length and so many bytes. */
    static final class Message extends ByteArrayOutputStream {
        Message varint(long value) {
            for (; value > 127; value >>= 7) write((int) value | 128);
            write((int) value);
            return this;
        }
        Message number(int field, long n) { return n == 0 ? this : varint(field << 3).varint(n & 0xffffffffL); }
        Message bytes(int field, byte[] value) {
            varint(field << 3 | 2).varint(value.length).writeBytes(value);
            return this;
        }
        Message text(int field, String value) { return bytes(field, value.getBytes(ISO_8859_1)); }
    }
    /** Protobuf that was read: all values of a field, of which the last counts. A number is left as its varint. */
    static List<ByteBuffer> all(ByteBuffer message, int field) {
        List<ByteBuffer> found = new ArrayList<>();
        for (ByteBuffer rest = message.duplicate(); rest.hasRemaining();) {
            int key = (int) varint(rest), start = rest.position();
            long size = switch (key & 7) { case 0, 2 -> varint(rest); case 1 -> 8; case 5 -> 4; default -> -1; };
            if ((key & 7) == 0) size = rest.position() - start; else start = rest.position();
            if (key >>> 3 == field) found.add(rest.slice(start, Math.toIntExact(size)));
            rest.position(Math.toIntExact(start + size));
        }
        return found;
    }
    static long varint(ByteBuffer from) {
        long value = 0, next = from.hasRemaining() ? 128 : 0;
        for (int shift = 0; next > 127; shift += 7) value |= ((next = from.get() & 255) & 127) << shift;
        return value;
    }
    static ByteBuffer last(ByteBuffer message, int field) {
        return all(message, field).stream().reduce(ByteBuffer.allocate(0), (earlier, later) -> later);
    }
    static int number(ByteBuffer message, int field) { return (int) varint(last(message, field)); }
    static String text(ByteBuffer message, int field) { return ISO_8859_1.decode(last(message, field)).toString(); }
    private final Process process;
    private final CRC32 crc = new CRC32();
    private final BlockingQueue<Object> arrived = new ArrayBlockingQueue<>(16); // frames; at last a message: why
    private volatile String tail = ""; // the plugin's last words on standard error
    private boolean ready, lost, ended, done, repeatable; // lost: the plugin; ended: the response
    private int id = -1, status, code = UNAVAILABLE;
    private long length, sent, credit, expected, received, unread; // of the request's and the response's content
    private String name, method, problem = "the plugin takes no more requests";
    Minimal(List<String> command, String configuration) throws IOException {
        process = new ProcessBuilder(command).start();
        for (Callable<?> task : List.<Callable<?>>of(this::readErrors, this::readFrames)) {
            Thread thread = new Thread(new FutureTask<>(task)); thread.setDaemon(true); thread.start();
        }
        Message settings = new Message().bytes(1, new byte[] {1}).text(4, "udist-minimal-java/1"); // version 1
        if (configuration != null) settings.bytes(6, configuration.getBytes(UTF_8));
        write(SETTINGS, 0, false, settings);
    }
    private Void readErrors() throws IOException {
        byte[] end = new byte[1024];
        for (int size; (size = process.getErrorStream().read(end)) > 0;) tail = new String(end, 0, size, ISO_8859_1);
        return null;
    }
    private Void readFrames() throws InterruptedException {
        String why = "the plugin has ended";
        try (DataInputStream input = new DataInputStream(process.getInputStream())) {
            int first = input.read();
            for (; first == 0; first = input.read()) {
                byte[] frame = new byte[Objects.checkIndex(input.readInt(), PAYLOAD + 33)]; // the limit is 32 more
                input.readFully(frame);
                arrived.put(ByteBuffer.wrap(frame));
            }
            Thread.sleep(first > 0 ? 100 : 0); // for the rest of a line
            String text = (char) first + new String(input.readNBytes(Math.min(500, input.available())), ISO_8859_1);
            if (first > 0) why = "the plugin's standard output carried text: " + text;
        } catch (IndexOutOfBoundsException tooLong) { why = "the plugin sent a frame above the limit"; }
        catch (IOException cut) { /* it has ended */ }
        arrived.put(why); return null;
    }
    private void write(int kind, int stream, boolean end, Message body) {
        Message frame = new Message().number(1, stream).number(2, end ? 1 : 0).bytes(kind, body.toByteArray());
        try {
            process.getOutputStream().write(ByteBuffer.allocate(5).putInt(1, frame.size()).array());
            frame.writeTo(process.getOutputStream()); process.getOutputStream().flush();
        } catch (IOException broken) { /* what it said before it stopped to read is still to come */ }
    }
    /** Waits so many milliseconds before TERM, and 2 s more before KILL. */
    void stop(int patience) throws InterruptedException {
        try { process.getOutputStream().close(); } catch (IOException broken) { /* it reads no more */ }
        if (!process.waitFor(patience, TimeUnit.MILLISECONDS)) process.destroy();
        if (!process.waitFor(2, TimeUnit.SECONDS)) process.destroyForcibly().waitFor();
        lost = true;
    }
    private boolean fail(boolean fatal, int why, boolean unprocessed, String what) {
        code = why; problem = what; lost |= fatal; repeatable |= unprocessed; return done = true;
    }
    /** Takes a frame; false if it has no place here. */
    private boolean take(ByteBuffer frame) {
        int kind = DATA, stream = number(frame, 1);
        while (kind > 2 && all(frame, kind).isEmpty()) kind--;
        ByteBuffer body = last(frame, kind);
        int value = kind == DATA ? 0 : number(body, 1); // the status, the credit, the code or the token
        if (kind == SETTINGS) return !ready && (ready = value == 1 && last(body, 1).limit() == 1);
        if (kind == GO_AWAY && ready && value >= id) return lost = true;
        if (kind == GO_AWAY) return fail(true, ready ? UNAVAILABLE : number(body, 2), true, text(body, 3));
        if (kind == PING && number(body, 2) == 0) write(PING, 0, false, new Message().number(1, value).number(2, 1));
        if (kind == PING || kind == LOG) return ready;
        if (!ready || kind < RESPONSE || stream % 2 != 1 || stream > id) return false;
        if (stream < id || done) return true; // of an exchange that is over
        if (kind == WINDOW_UPDATE) return (credit += value) > 0 && value > 0;
        if (kind == RESET && ended) return done = true; // the rest of the request is not needed
        if (kind == RESET) return fail(false, value == 0 ? INTERNAL : value, number(body, 3) != 0, text(body, 2));
        if (ended || (kind == RESPONSE) == (status > 0) || kind == RESPONSE && value < 200) return false;
        if (kind == RESPONSE) System.out.println("head " + name + " " + (status = value) + fields(body, 2));
        if (status == 204 || status == 304 || method.equals("HEAD")) expected = 0;
        if (kind == DATA) { received += body.limit(); unread += body.limit(); crc.update(body); }
        if (kind != END && number(frame, 2) == 0) return true;
        if (expected >= 0 && expected != received) return fail(false, INTERNAL, false, "wrong length");
        System.out.printf("content %s %d %08x%n", name, received, crc.getValue());
        System.out.println("end " + name + (kind == END ? fields(body, 1) : ""));
        done = sent == length; // if it is not, reset(OK) follows
        return ended = true;
    }
    private String fields(ByteBuffer message, int field) { // as words; notes the content-length
        StringBuilder words = new StringBuilder();
        for (ByteBuffer each : all(message, field)) {
            words.append(" ").append(escaped(text(each, 1))).append(":").append(escaped(text(each, 2)));
            if (text(each, 1).equals("content-length")) expected = Long.parseLong(text(each, 2));
        }
        return words.toString();
    }
    /** One exchange: ID METHOD TARGET LENGTH FIELD... */
    void exchange(List<String> words) throws InterruptedException {
        name = words.get(0); method = words.get(1);
        length = sent = received = unread = status = 0;
        credit = CREDIT; expected = -1; crc.reset(); ended = false; done = lost;
        repeatable = lost || List.of("GET", "HEAD", "PUT", "DELETE").contains(method);
        List<String> fields = new ArrayList<>(words.subList(4, words.size()));
        if (words.get(3).matches("\\d+")) fields.add("content-length:" + (length = Long.parseLong(words.get(3))));
        Message head = new Message().text(1, method).text(2, "http").text(3, "localhost").text(4, words.get(2));
        for (String field : fields) {
            String[] pair = field.split(":", 2);
            head.bytes(5, new Message().text(1, pair[0]).text(2, pair[1]).toByteArray());
        }
        if (!done) write(REQUEST, id += 2, length == 0, head);
        while (!done) { // what the plugin says comes first: it may answer before it has the whole request
            boolean more = sent < length && credit > 0 && !ended;
            Object next = arrived.poll(more ? 0 : ready ? Integer.MAX_VALUE : 30, TimeUnit.SECONDS);
            if (next instanceof String why) fail(true, why.endsWith("ended") ? UNAVAILABLE : INTERNAL, false, why);
            else if (next instanceof ByteBuffer frame) receive(frame);
            else if (more) writeContent();
            else fail(true, UNAVAILABLE, true, "the plugin was not ready within 30 s");
        }
        if (lost) stop(500);
        String how = CODES.get(code < 0 || code > 16 ? 2 : code) + (repeatable ? " yes " : " no ");
        if (!ended) System.out.println("error " + name + " " + how + escaped(problem + (lost ? "; " + tail : "")));
    }
    private void receive(ByteBuffer frame) {
        try { if (!take(frame)) throw new IllegalStateException("a frame is out of place"); }
        catch (RuntimeException broken) { fail(true, INTERNAL, false, "the plugin broke the protocol: " + broken); }
        if (unread < CREDIT / 2 || ended) return;
        write(WINDOW_UPDATE, id, false, new Message().number(1, unread)); unread = 0;
    }
    private void writeContent() {
        Message piece = new Message();
        for (; piece.size() < PAYLOAD && sent < length && credit > 0; credit--) piece.write((int) (sent++ % 251));
        write(DATA, id, sent == length, piece);
    }
    static String escaped(String word) {
        return Pattern.compile("[^!-~]|%").matcher(word)
            .replaceAll(each -> String.format("%%%02X", (int) each.group().charAt(0)));
    }
    static String decoded(String word) { return URLDecoder.decode(word.replace("+", "%2B"), ISO_8859_1); }
    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        Minimal plugin = null;
        for (String line; (line = input.readLine()) != null;) {
            List<String> words = Arrays.stream(line.split(" ")).skip(1).map(Minimal::decoded).toList();
            try {
                if (line.startsWith("start ")) plugin = new Minimal(words, arguments.length > 0 ? arguments[0] : null);
                else if (line.startsWith("exchange ") && plugin != null) plugin.exchange(words);
                else if (line.equals("close")) { if (plugin != null) plugin.stop(10000); System.out.println("closed"); }
                else System.out.println("unsupported " + line.split(" ")[0]);
            } catch (IOException missing) { System.out.println("failed NOT_FOUND " + escaped(missing.getMessage())); }
        }
        if (plugin != null) plugin.stop(10000);
    }
}
