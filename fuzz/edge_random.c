/* edge_random: random sequences through the edge, a seed each; prints how many and how fast. A
 * sequence that fails ends the process: what is wrong and the seed are printed, and
 *
 *     edge_random --seed N --sequences 1        plays it again, and tells it in words
 *     edge_random … --packets                   and what left the edge
 *     edge_random --seed N --write FILE         writes its bytes, for fuzz_edge and its corpus
 *     edge_random FILE …                        plays files
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edge_kit.h"
#include "edge_sequence.h"

enum { BYTES_MAX = 1024 };

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static uint64_t seed;
static const char *file; /* being played; NULL: the seed is */
static bool told, packets;

/* Prints the packets that left the edge, to read beside the words. */
static void print_packets(void)
{
    for (size_t i = 0; i < edge_kit_packets(); i++) {
        const struct edge_packet *p = edge_kit_packet(i);
        char to[ADDR_TEXT_SIZE];
        addr_print(&p->to, to);
        fprintf(stderr, "#%zu at %.3f to %s, %u repeats\n%.*s\n", i, (double)p->at_ms / 1000, to,
                p->repeats, (int)p->n, p->bytes);
    }
}

static void on_death(void)
{
    if (told)
        return;
    told = true;
    if (packets)
        print_packets();
    fprintf(stderr, "\n%s\n", edge_sequence_words());
    if (file)
        fprintf(stderr, "the file was %s\n", file);
    else
        fprintf(stderr, "the seed was %llu: edge_random --seed %llu --sequences 1\n",
                (unsigned long long)seed, (unsigned long long)seed);
}

static void on_abort(int signal)
{
    on_death();
    _Exit(1);
}

/* splitmix64: neighbours are strangers. */
static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static size_t bytes_of_seed(uint64_t s, uint8_t out[BYTES_MAX])
{
    uint64_t state = s;
    bool is_long = mix(&state) % 8 == 0;
    size_t n = 16 + mix(&state) % (is_long ? BYTES_MAX - 16 : 160);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)mix(&state);
    return n;
}

static int play_file(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    file = path;
    edge_sequence(bytes, n);
    return 0;
}

static int write_file(const char *path)
{
    uint8_t bytes[BYTES_MAX];
    size_t n = bytes_of_seed(seed, bytes);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        perror(path);
        return 1;
    }
    return 0;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    unsigned long long sequences = 1000, first = 1;
    const char *write = NULL;
    bool words = false, files = false;
    int status = 0;
    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(on_death);
    else
        signal(SIGSEGV, on_abort);
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--sequences") && i + 1 < argc)
            sequences = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            first = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--write") && i + 1 < argc)
            write = argv[++i];
        else if (!strcmp(argv[i], "--words"))
            words = true;
        else if (!strcmp(argv[i], "--packets"))
            packets = true;
        else if (argv[i][0] != '-') {
            status |= play_file(argv[i]);
            files = true;
        } else {
            fprintf(stderr, "edge_random [--sequences N] [--seed N] [--words] [--packets] "
                            "[--write FILE] [FILE …]\n");
            return 2;
        }
    }
    seed = first;
    if (write)
        return write_file(write);
    edge_sequence_tell(sequences == 1);
    double from = seconds();
    for (unsigned long long i = 0; !files && i < sequences; i++) {
        uint8_t bytes[BYTES_MAX];
        seed = first + i;
        size_t n = bytes_of_seed(seed, bytes);
        edge_sequence(bytes, n);
    }
    double took = seconds() - from;
    if (words)
        printf("%s\n", edge_sequence_words());
    if (!files)
        printf("%llu sequences, %zu messages of peers, %.1f s: %.0f sequences/s\n", sequences,
               edge_sequence_messages(), took, (double)sequences / took);
    edge_kit_close();
    return status;
}
