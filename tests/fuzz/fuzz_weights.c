/*
 * fuzz_weights.c - any bytes at all go through the loader of weights.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined ... fuzz_weights.c liblpips.a
 *     ./fuzz_weights NEW-FOLDER tests/fuzz/corpus
 *
 * replay.c runs the same function over the corpus without clang.
 */
#include "../../core/lpips.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts, as fuzzers expect, when what lpips.h promises does not hold. */
static void hold(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_weights: %s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char detail[160];
    lpips_weights *w = (lpips_weights *)1;
    int status;

    memset(detail, 0x7f, sizeof detail);
    status = lpips_weights_load_memory(&w, data, size, detail, sizeof detail);
    if (status == LPIPS_OK) {
        hold(w != NULL, "no weights from a file that was accepted");
        hold(strlen(lpips_weights_hash(w)) == 64, "hash is not 64 digits");
        hold(lpips_net_name(lpips_weights_net(w)) != NULL, "unknown net");
    } else {
        hold(w == NULL, "weights from a file that was refused");
        hold(memchr(detail, 0, sizeof detail) && *detail, "refused without a sentence");
        for (const char *c = detail; *c; c++)
            hold(*c >= ' ' && *c <= '~', "a sentence of more than printable ASCII");
    }
    lpips_weights_unref(w);
    return 0;
}
