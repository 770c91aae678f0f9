/*
 * replay.c - the fuzz target over the corpus and over systematic damage, without a
 * fuzzer.
 *
 *     replay tests/fuzz/corpus/...
 *
 * Each file goes in as it is, cut at every length (up to 4096) and with every byte of its
 * first 512 set to a few telling values.  Then complete seeded weights of squeeze with
 * random damage to their header.  Inputs lie in blocks of exactly their size.
 */
#include "../st_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs;

static void *need(void *p)
{
    if (!p) {
        fprintf(stderr, "replay: out of memory\n");
        exit(1);
    }
    return p;
}

static void feed(const unsigned char *bytes, size_t size)
{
    unsigned char *exact = need(malloc(size ? size : 1));

    if (size)
        memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    inputs++;
}

static void damage(unsigned char *bytes, size_t size)
{
    static const unsigned char telling[] = {0,   1,   0x7f, 0x80, 0xff, '"', '\\', '{', '}',
                                            '[', ']', ',',  ':',  '0',  '9', '-',  ' ', 'u'};
    size_t cut = size < 4096 ? size : 4096, marked = size < 512 ? size : 512;

    feed(bytes, size);
    for (size_t n = 0; n < cut; n++)
        feed(bytes, n);
    for (size_t at = 0; at < marked; at++) {
        unsigned char was = bytes[at];

        for (size_t i = 0; i < sizeof telling; i++) {
            bytes[at] = telling[i];
            feed(bytes, size);
        }
        bytes[at] = was;
    }
}

static int replay_file(const char *path)
{
    enum { MOST = 1 << 20 };
    unsigned char *bytes = need(malloc(MOST));
    FILE *f = fopen(path, "rb");
    size_t size;

    if (!f) {
        perror(path);
        free(bytes);
        return 1;
    }
    size = fread(bytes, 1, MOST, f);
    fclose(f);
    damage(bytes, size);
    free(bytes);
    return 0;
}

/* One to three bytes of the header, and now and then a bit of the values. */
static void damage_weights(int rounds)
{
    uint64_t random = 1;
    size_t size, header;
    unsigned char *bytes = need(st_random_weights(LPIPS_NET_SQUEEZE, "0.1", 1, &size));

    feed(bytes, size);
    header = bytes[0] | (size_t)bytes[1] << 8;
    for (int i = 0; i < rounds; i++) {
        size_t at[3];
        unsigned char was[3];

        for (int k = 0; k < 3; k++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            at[k] = k == 2 && i % 4 ? (size_t)(random >> 32) % size
                                    : 8 + (size_t)(random >> 32) % header;
            was[k] = bytes[at[k]];
            if (k == i % 3 || k == 2)
                bytes[at[k]] = (unsigned char)(random >> 24);
        }
        feed(bytes, size);
        for (int k = 2; k >= 0; k--)
            bytes[at[k]] = was[k];
    }
    free(bytes);
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++)
        failed |= replay_file(argv[i]);
    damage_weights(100);
    printf("replay: %d files, %lu inputs, none did harm\n", argc - 1, inputs);
    return failed || argc < 2;
}
