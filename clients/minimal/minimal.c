/* A minimal client of the udist plugin protocol (proto/PROTOCOL.md), for one exchange at a time. Its main program
 * takes the commands `start`, `exchange` and `close` of udist_plugin/docs/callers.md. See README.md. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
enum { SETTINGS = 3, REQUEST, RESPONSE, END, WINDOW_UPDATE, RESET, PING, GO_AWAY, LOG, DATA = 15 };
enum { INTERNAL = 13, UNAVAILABLE, CREDIT = 1 << 18, PREFIX = 5, PAYLOAD = 1 << 20, LARGEST = PREFIX + PAYLOAD + 32 };
static const char *const codes[] = {"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
    "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"};
typedef struct { const uint8_t *at; size_t length; } Bytes;
typedef struct { size_t length; uint8_t bytes[LARGEST + 1]; } Buffer;
static Buffer in, out, part;                             /* a frame that arrives, one to send, and its body */
static int plugin, input = -1, output = -1, errors = -1; /* the process, and its standard streams */
static bool ready, lost = true, pinged, ended, done, repeatable; /* lost: the plugin; ended: the response */
static char tail[1024], problem[8192] = "no plugin was started", *name, *method;
static uint32_t id, status, code = UNAVAILABLE, token, crc;
static uint64_t length, sent, credit, expected, received, unread; /* of the request's and the response's content */

/* Protobuf: a field is a key, and then a varint, or a length and so many bytes. */
static Bytes text(const char *string) { return (Bytes){(const uint8_t *)string, strlen(string)}; }
static Bytes filled(const Buffer *buffer) { return (Bytes){buffer->bytes, buffer->length}; }
static void put_varint(Buffer *to, uint64_t n) { do to->bytes[to->length++] = n > 127 ? n | 128 : n; while (n >>= 7); }
static void put_number(Buffer *to, int field, uint64_t n) { if (n) put_varint(to, field << 3), put_varint(to, n); }
static void put_bytes(Buffer *to, int field, Bytes value) {
    put_varint(to, field << 3 | 2), put_varint(to, value.length);
    memcpy(to->bytes + to->length, value.at, value.length), to->length += value.length;
}
static uint64_t take_varint(Bytes *from) {
    for (uint64_t value = 0, shift = 0; shift < 64 && from->length--; shift += 7)
        if (value |= (*from->at & 127ull) << shift, *from->at++ < 128) return value;
    return *from = (Bytes){0}, 0;
}
static int take_field(Bytes *from, Bytes *value) { /* returns its number, or 0 at the end; a number stays a varint */
    uint64_t key = take_varint(from), type = key & 7, size = type == 1 ? 8 : type == 5 ? 4 : UINT64_MAX;
    Bytes rest = *from;
    if (type == 0) take_varint(&rest), size = from->length - rest.length;
    if (type == 2) size = take_varint(from);
    if (key == 0 || size > from->length) return 0;
    return *value = (Bytes){from->at, size}, from->at += size, from->length -= size, key >> 3;
}
static Bytes find(Bytes message, int field) { /* the last value counts */
    Bytes value, found = {0};
    for (int next; (next = take_field(&message, &value));) found = next == field ? value : found;
    return found;
}
static uint64_t number(Bytes message, int field) { return message = find(message, field), take_varint(&message); }
/* What the user is told. */
static bool fail(bool lose, uint32_t why, bool unprocessed, const char *what, Bytes detail) {
    if (!done) snprintf(problem, sizeof problem, "%s%.*s", what, (int)detail.length, (const char *)detail.at);
    return code = done ? code : why, repeatable |= unprocessed, lost |= lose, done = true;
}
static void print_word(const char *before, Bytes word) {
    for (fputs(before, stdout); word.length--; word.at++)
        printf(*word.at > 32 && *word.at < 127 && *word.at != '%' ? "%c" : "%%%02X", *word.at);
}
static void print_fields(Bytes message, int which) { /* and notes the content-length */
    Bytes field, key, value;
    for (int next; (next = take_field(&message, &field));) if (next == which) {
        print_word(" ", key = find(field, 1)), print_word(":", value = find(field, 2));
        if (value.at && key.length == 14 && !memcmp(key.at, "content-length", 14)) expected = atoll((char *)value.at);
    }
    puts("");
}
/* Frames to the plugin. */
static void write_frame(uint32_t stream, bool end, int kind) {
    out.length = PREFIX, put_number(&out, 1, stream), put_number(&out, 2, end), put_bytes(&out, kind, filled(&part));
    for (int i = 0; i < PREFIX; i++) out.bytes[i] = (uint64_t)(out.length - PREFIX) >> (32 - 8 * i);
    for (ssize_t count, at = 0; (count = write(input, out.bytes + at, out.length - at)) > 0;) at += count;
}
static void write_numbers(uint32_t stream, int kind, uint64_t first, uint64_t second) {
    part.length = 0, put_number(&part, 1, first), put_number(&part, 2, second), write_frame(stream, false, kind);
}
static void write_content(void) {
    for (part.length = 0; part.length < PAYLOAD && sent < length && credit; credit--)
        part.bytes[part.length++] = sent++ % 251;
    write_frame(id, sent == length, DATA);
}
static void put_field(const char *key, const char *value) {
    out.length = 0, put_bytes(&out, 1, text(key)), put_bytes(&out, 2, text(value)), put_bytes(&part, 5, filled(&out));
}
/* Frames from the plugin. */
static bool take_frame(Bytes frame) { /* false if it has no place here */
    int kind = DATA;
    while (kind > 2 && !find(frame, kind).at) kind--;
    Bytes body = find(frame, kind);
    uint32_t stream = number(frame, 1), value = kind == DATA ? 0 : number(body, 1);
    if (kind == SETTINGS) return !ready && (ready = value == 1 && find(body, 1).length == 1);
    if (kind == GO_AWAY && ready && value >= id) return code = UNAVAILABLE, strcpy(problem, "going away"), lost = true;
    if (kind == GO_AWAY) return fail(true, ready ? UNAVAILABLE : number(body, 2), true, "", find(body, 3));
    if (kind == PING && ready && !number(body, 2)) pinged = true, token = value;
    if (kind == PING || kind == LOG) return ready;
    if (!ready || kind < RESPONSE || stream % 2 == 0 || stream > id) return false;
    if (stream < id || done) return true; /* of an exchange that is over */
    if (kind == WINDOW_UPDATE) return credit += value, value > 0;
    if (kind == RESET && ended) return done = true; /* the rest of the request is not needed */
    if (kind == RESET) return fail(false, value ? value : INTERNAL, number(body, 3), "", find(body, 2));
    if (ended || (kind == RESPONSE) == (status > 0) || (kind == RESPONSE && value < 200)) return false;
    if (kind == RESPONSE) printf("head %s %u", name, status = value), print_fields(body, 2);
    if (status == 204 || status == 304 || !strcmp(method, "HEAD")) expected = 0;
    if (kind == DATA) received += body.length, unread += body.length;
    for (size_t i = 0, bit; kind == DATA && i < body.length; i++)
        for (crc ^= body.at[i], bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1) * 0xedb88320;
    if (kind != END && !number(frame, 2)) return true;
    if (expected != UINT64_MAX && expected != received) return fail(false, INTERNAL, false, "wrong length", text(""));
    printf("content %s %llu %08x\nend %s", name, (unsigned long long)received, ~crc, name);
    print_fields(kind == END ? body : text(""), 1);
    return done = sent == length, ended = true; /* if it is not done, reset(OK) follows */
}
static size_t wanted(void) { /* of the frame, as far as it is known */
    const uint8_t *at = in.bytes;
    return in.length < PREFIX ? PREFIX : PREFIX + ((size_t)at[1] << 24 | at[2] << 16 | at[3] << 8 | at[4]);
}
static void read_frame(void) { /* or as much of it as there is */
    ssize_t count = read(output, in.bytes + in.length, wanted() - in.length);
    if (count <= 0) fail(true, UNAVAILABLE, false, "the plugin has ended", text(""));
    else if (in.bytes[in.length += count] = 0, *in.bytes) {
        count = poll(&(struct pollfd){output, POLLIN, 0}, 1, 100) > 0 ? read(output, in.bytes + in.length, 500) : 0;
        in.length += count > 0 ? count : 0;
        fail(true, INTERNAL, false, "the plugin's standard output carried text: ", filled(&in));
    } else if (wanted() > LARGEST || (in.length == wanted() && !take_frame((Bytes){in.bytes + 5, in.length - 5})))
        fail(true, INTERNAL, false, "the plugin broke the protocol", text(""));
    if (in.length == wanted()) in.length = 0;
}
/* The plugin's process. */
static int hear(int milliseconds) { /* takes what the plugin says; 0 if it says nothing for so long */
    struct pollfd fds[] = {{output, POLLIN, 0}, {errors, POLLIN, 0}};
    int count = poll(fds, 2, milliseconds), got = fds[1].revents ? read(errors, tail, sizeof tail - 1) : -1;
    if (got > 0) tail[got] = 0; else if (got == 0) close(errors), errors = -1;
    if (fds[0].revents) read_frame();
    return count;
}
static void stop(int patience) { /* waits so many milliseconds before TERM, and 2 s more before KILL */
    int closing = output;
    close(input), input = output = -1, lost = true;
    for (int waited = 0; waitpid(plugin, NULL, WNOHANG) == 0; poll(NULL, 0, 10), hear(0), waited += 10)
        if (waited == patience || waited == patience + 2000) kill(plugin, waited == patience ? SIGTERM : SIGKILL);
    hear(0), close(closing), close(errors), errors = -1;
}
static void start(char **command, const char *configuration) {
    int pipes[6];
    if (pipe(pipes) || pipe(pipes + 2) || pipe(pipes + 4) || (plugin = fork()) < 0) perror("start"), exit(1);
    if (plugin == 0) {
        dup2(pipes[0], 0), dup2(pipes[3], 1), dup2(pipes[5], 2), signal(SIGPIPE, SIG_DFL);
        for (int i = 0; i < 6; i++) close(pipes[i]);
        execvp(*command, command), perror(*command), _exit(127);
    }
    close(pipes[0]), close(pipes[3]), close(pipes[5]), input = pipes[1], output = pipes[2], errors = pipes[4];
    ready = lost = pinged = false, in.length = part.length = *tail = 0, id = -1;
    put_bytes(&part, 1, text("\1")), put_bytes(&part, 4, text("udist-minimal-c/1")); /* version 1 */
    if (configuration) put_bytes(&part, 6, text(configuration));
    write_frame(0, false, SETTINGS);
}
/* The commands. */
static void exchange(char **words) { /* ID METHOD TARGET LENGTH FIELD... */
    name = words[0], method = words[1], length = strtoull(words[3], NULL, 10), id += 2, credit = CREDIT, expected = -1;
    done = lost, ended = false, status = sent = received = unread = part.length = 0, crc = -1;
    repeatable = lost || strstr("GET HEAD PUT DELETE", method);
    put_bytes(&part, 1, text(method)), put_bytes(&part, 2, text("http"));
    put_bytes(&part, 3, text("localhost")), put_bytes(&part, 4, text(words[2]));
    if (*words[3] >= '0') put_field("content-length", words[3]);
    for (char **field = words + 4, *value; *field; field++)
        if ((value = strchr(*field, ':'))) *value++ = 0, put_field(*field, value);
    if (!done) write_frame(id, !length, REQUEST);
    while (!done) { /* what the plugin says comes first: it may answer before it has the whole request */
        bool more = sent < length && credit && !ended;
        if (pinged) pinged = false, write_numbers(0, PING, token, true);
        else if (unread >= CREDIT / 2 && !ended) write_numbers(id, WINDOW_UPDATE, unread, 0), unread = 0;
        else if (hear(more ? 0 : ready ? -1 : 30000)) continue;
        else if (more) write_content();
        else fail(true, UNAVAILABLE, false, "the plugin was not ready within 30 s", text(""));
    }
    if (lost) stop(500); else *tail = 0;
    if (!ended) printf("error %s %s %s", name, codes[code < 17 ? code : 2], repeatable ? "yes" : "no");
    if (!ended) print_word(" ", text(problem)), print_word(*tail ? ";%20" : "", text(tail)), puts("");
}
static void decode(char *word) {
    char *to = word;
    for (unsigned byte; *word; *to++ = byte) if (sscanf(word, "%%%2x", &byte) == 1) word += 3; else byte = *word++;
    *to = 0;
}
int main(int count, char **arguments) {
    static char line[60000], *words[256];
    signal(SIGPIPE, SIG_IGN), setvbuf(stdout, NULL, _IOLBF, 0);
    for (int n = 0; fgets(line, sizeof line, stdin); n = 0) {
        for (; n < 255 && (words[n] = strtok(n ? NULL : line, " \n")); n++) decode(words[n]);
        if (n > 1 && !strcmp(*words, "start")) start(words + 1, count > 1 ? arguments[1] : NULL);
        else if (n > 4 && !strcmp(*words, "exchange")) exchange(words + 1);
        else if (n && !strcmp(*words, "close")) stop(10000), puts("closed");
        else if (n) printf("unsupported %s\n", *words);
    }
    stop(10000);
}
