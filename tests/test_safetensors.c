/*
 * test_safetensors.c - the strict reader: what it accepts, and each refusal with its
 * sentence.  Files lie in blocks of exactly their size, so that AddressSanitizer sees a
 * read beyond the end.
 */
#include "../core/lpips.h"
#include "../core/sha256_fast.h"
#include "../weights/safetensors.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

typedef struct file {
    unsigned char *bytes;
    size_t size;
} file;

/* The header's length, the header, `data` zero bytes. */
static file file_of(const char *header, size_t length, size_t data)
{
    file f = {.size = 8 + length + data};

    f.bytes = calloc(1, f.size);
    assert_non_null(f.bytes);
    for (int i = 0; i < 8; i++)
        f.bytes[i] = (unsigned char)((uint64_t)length >> 8 * i);
    memcpy(f.bytes + 8, header, length);
    return f;
}

static lpips_safetensors *opened(file f)
{
    char detail[200] = "";
    lpips_safetensors *st;
    int status = lpips_st_open(&st, f.bytes, f.size, detail, sizeof detail);

    if (status)
        fail_msg("refused: %s", detail);
    return st;
}

static void refused(file f, const char *sentence)
{
    char detail[200] = "";
    lpips_safetensors *st = (lpips_safetensors *)1;
    int status = lpips_st_open(&st, f.bytes, f.size, detail, sizeof detail);

    free(f.bytes);
    assert_int_equal(status, LPIPS_ERR_WEIGHTS);
    assert_null(st);
    assert_string_equal(detail, sentence);
}

#define T(name, shape, begin, end)                                                           \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":[" shape "],\"data_offsets\":[" begin "," end \
    "]}"

static const struct {
    const char *header;
    size_t data;
    const char *sentence;
} bad[] = {
    /* not the JSON that the format allows */
    {"[]", 0, "header, byte 0: expected '{'"},
    {" {}", 0, "header, byte 0: expected '{'"},
    {"{1:2}", 0, "header, byte 1: expected '\"'"},
    {"{\"a\" 1}", 0, "header, byte 5: expected ':'"},
    {"{\"a\":1}", 0, "header, byte 5: expected '{'"},
    {"{" T("a", "1", "0", "4") ",}", 4, "header, byte 54: expected '\"'"},
    {"{" T("a", "1", "0", "4"), 4, "header, byte 53: expected '}'"},
    {"{" T("a", "1", "0", "4") "} x", 4, "header, byte 55: text after the last '}'"},
    {"{" T("a", "1", "0", "4") "}\n{", 4, "header, byte 55: text after the last '}'"},
    {"{\"\":{}}", 0, "header, byte 3: empty name"},
    {"{\"a", 0, "header, byte 3: string without an end"},
    {"{\"a\\", 0, "header, byte 4: unknown escape in a string"},
    {"{\"\\x41\":{}}", 0, "header, byte 4: unknown escape in a string"},
    {"{\"\\u00", 0, "header, byte 4: \\u escape is no character"},
    {"{\"\\u00g0\":{}}", 0, "header, byte 7: \\u escape is no character"},
    {"{\"\\u0000\":{}}", 0, "header, byte 8: NUL inside a string"},
    {"{\"\\ud800\":{}}", 0, "header, byte 8: \\u escape is no character"},
    {"{\"\\udc00\\ud800\":{}}", 0, "header, byte 8: \\u escape is no character"},
    {"{\"\\ud800\\u0041\":{}}", 0, "header, byte 14: \\u escape is no character"},
    {"{\"a\tb\":{}}", 0, "header, byte 3: control character in a string"},
    {"{\"\x80\":{}}", 0, "header, byte 2: invalid UTF-8"},
    {"{\"\xc0\xaf\":{}}", 0, "header, byte 2: invalid UTF-8"},
    {"{\"\xe0\x80\xaf\":{}}", 0, "header, byte 2: invalid UTF-8"},
    {"{\"\xed\xa0\x80\":{}}", 0, "header, byte 2: invalid UTF-8"},
    {"{\"\xf0\x80\x80\xaf\":{}}", 0, "header, byte 2: invalid UTF-8"},
    {"{\"\xf4\x90\x80\x80\":{}}", 0, "header, byte 2: invalid UTF-8"},
    {"{\"\xe2\x82", 0, "header, byte 2: invalid UTF-8"},
    /* numbers */
    {"{" T("a", "-1", "0", "4") "}", 4,
     "header, byte 29: expected a whole number, zero or more"},
    {"{" T("a", "1.0", "0", "4") "}", 4, "header, byte 30: expected ']'"},
    {"{" T("a", "1e0", "0", "4") "}", 4, "header, byte 30: expected ']'"},
    {"{" T("a", "01", "0", "4") "}", 4, "header, byte 31: number with a leading zero"},
    {"{" T("a", "", "0", "4x") "}", 4, "header, byte 50: expected ']'"},
    {"{" T("a", "9223372036854775808", "0", "4") "}", 4, "header, byte 47: number too large"},
    {"{" T("a", "1,1,1,1,1,1,1,1,1", "0", "4") "}", 4,
     "header, byte 45: more numbers in a list than accepted"},
    {"{" T("a", "1", "0,4", "4") "}", 4,
     "header, byte 52: more numbers in a list than accepted"},
    /* a tensor's entry */
    {"{\"a\":{}}", 0, "header, byte 6: expected '\"'"},
    {"{\"a\":{\"dtype\":\"F32\"}}", 0, "a: needs dtype, shape and two data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4,
     "a: needs dtype, shape and two data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[]}}", 4,
     "a: needs dtype, shape and two data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "a: repeated key dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "a: repeated key shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4,
     "a: unknown key x"},
    {"{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "a: unknown dtype F31"},
    {"{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "a: unknown dtype f32"},
    {"{\"a\":{\"dtype\":3,\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "header, byte 14: expected '\"'"},
    {"{" T("a", "2,0", "0", "0") "}", 0, "a: shape with a 0 in it"},
    {"{" T("a", "4294967296,4294967296", "0", "4") "}", 4, "a: shape too large"},
    {"{" T("a", "2305843009213693952", "0", "4") "}", 4, "a: shape too large"},
    {"{" T("a", "1", "4", "0") "}", 4, "a: data_offsets run backwards"},
    {"{" T("a", "1", "0", "8") "}", 8,
     "a: data_offsets span 8 bytes, dtype and shape need 4"},
    {"{" T("a", "3", "0", "8") "}", 8,
     "a: data_offsets span 8 bytes, dtype and shape need 12"},
    {"{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "a: data_offsets span 4 bytes, dtype and shape need 2"},
    {"{" T("a", "2", "0", "8") "}", 7,
     "a: data_offsets end at byte 8 of 7; is the file cut short?"},
    {"{" T("a", "2", "9223372036854775799", "9223372036854775807") "}", 8,
     "a: data_offsets end at byte 9223372036854775807 of 8; is the file cut short?"},
    {"{" T("a\\u001b[31m\\u00e9", "0", "0", "4") "}", 4, "a?[31m\?\?: shape with a 0 in it"},
    /* between tensors */
    {"{" T("a", "1", "0", "4") "," T("a", "1", "4", "8") "}", 8, "a: occurs twice"},
    {"{" T("a", "1", "0", "4") "," T("\\u0061", "1", "4", "8") "}", 8, "a: occurs twice"},
    {"{" T("a", "1", "0", "4") "," T("b", "1", "0", "4") "}", 4, "b: overlaps a"},
    {"{" T("b", "2", "4", "12") "," T("a", "2", "0", "8") "}", 12, "b: overlaps a"},
    {"{" T("a", "1", "4", "8") "}", 8, "a: 4 bytes before it belong to no tensor"},
    {"{" T("a", "1", "0", "4") "," T("b", "1", "7", "11") "}", 11,
     "b: 3 bytes before it belong to no tensor"},
    {"{" T("a", "1", "0", "4") "}", 5, "1 bytes after the last tensor belong to none"},
    {"{}", 1, "1 bytes after the last tensor belong to none"},
    /* metadata */
    {"{\"__metadata__\":1}", 0, "header, byte 16: expected '{'"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "header, byte 21: expected '\"'"},
    {"{\"__metadata__\":{\"a\":{}}}", 0, "header, byte 21: expected '\"'"},
    {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "__metadata__: a occurs twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__: occurs twice"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        refused(file_of(bad[i].header, strlen(bad[i].header), bad[i].data), bad[i].sentence);
}

static void test_nul_in_header(void **state)
{
    static const char header[] = "{\"a\0b\":{}}";

    (void)state;
    refused(file_of(header, sizeof header - 1, 0),
            "header, byte 3: control character in a string");
    refused(file_of("{}\0", 3, 0), "header, byte 2: text after the last '}'");
}

static file raw(const char *bytes, size_t size)
{
    file f = {malloc(size ? size : 1), size};

    assert_non_null(f.bytes);
    memcpy(f.bytes, bytes, size);
    return f;
}

static void test_not_safetensors(void **state)
{
    static const char zip[] = "PK\003\004\0\0\0\0\0\0\0\0";
    static const char pickle[] = "\200\002\212\012\154\374\234\106\371\040";
    static const char page[] = "<!DOCTYPE html><html>";
    static const char pointer[] = "version https://git-lfs and so on";
    static const char gzip[] = "\037\213\010\010\0\0\0\1\0\0";
    static const char large[] = "\1\0\020\0\0\0\0\0{}";
    static const char beyond[] = "\3\0\0\0\0\0\0\0{}";
    static const char huge[] = "\377\377\377\377\377\377\377\377{}";

    (void)state;
    refused(raw("", 0), "not safetensors: 0 bytes, header length 0");
    refused(raw("\2\0\0\0\0\0\0", 7), "not safetensors: 7 bytes, header length 0");
    refused(raw("\2\0\0\0\0\0\0\0{", 9), "not safetensors: 9 bytes, header length 2");
    refused(raw("\1\0\0\0\0\0\0\0{}", 10), "not safetensors: 10 bytes, header length 1");
    refused(raw(zip, sizeof zip - 1), "not safetensors but a zip archive, such as a PyTorch "
                                      ".pth; weights/convert.py reads those");
    refused(raw(pickle, sizeof pickle - 1),
            "not safetensors but a Python pickle, such as a PyTorch .pth; "
            "weights/convert.py reads those");
    refused(raw(page, sizeof page - 1), "not safetensors but a web page or XML");
    refused(raw(pointer, sizeof pointer - 1),
            "not safetensors but a Git LFS pointer: fetch the file itself");
    refused(raw(gzip, sizeof gzip - 1), "not safetensors but compressed with gzip");
    refused(raw(large, sizeof large - 1),
            "not safetensors: header length 1048577, at most 1048576 is accepted");
    refused(raw(beyond, sizeof beyond - 1),
            "header length 3 in a file of 10 bytes; is it cut short?");
    refused(raw(huge, sizeof huge - 1), "not safetensors: header length "
                                        "18446744073709551615, at most 1048576 is accepted");
}

/* n tensors "t0", "t1" ... of one float, after m entries of metadata. */
static file many(int n, int m)
{
    char *text = malloc(200 * (size_t)(n + m + 1));
    size_t at = 0;
    file f;

    assert_non_null(text);
    at += (size_t)sprintf(text + at, "{\"__metadata__\":{");
    for (int i = 0; i < m; i++)
        at += (size_t)sprintf(text + at, "%s\"k%d\":\"%d\"", i ? "," : "", i, i);
    at += (size_t)sprintf(text + at, "}");
    for (int i = 0; i < n; i++)
        at += (size_t)sprintf(text + at,
                              ",\"t%d\":{\"dtype\":\"F32\",\"shape\":[1],"
                              "\"data_offsets\":[%d,%d]}",
                              i, 4 * i, 4 * i + 4);
    at += (size_t)sprintf(text + at, "}");
    f = file_of(text, at, 4 * (size_t)n);
    free(text);
    return f;
}

static void test_limits(void **state)
{
    char header[700], sentence[200];
    lpips_safetensors *st;
    file f = many(LPIPS_ST_MAX_TENSORS, LPIPS_ST_MAX_METADATA);

    (void)state;
    st = opened(f);
    assert_int_equal(lpips_st_count(st), LPIPS_ST_MAX_TENSORS);
    assert_string_equal(lpips_st_metadata(st, "k63"), "63");
    lpips_st_close(st);
    free(f.bytes);
    refused(many(LPIPS_ST_MAX_TENSORS + 1, 0), "t512: more than 512 tensors");
    refused(many(0, LPIPS_ST_MAX_METADATA + 1), "__metadata__: more than 64 entries");

    sprintf(header, "{" T("%0255d", "1", "0", "4") "}", 0);
    f = file_of(header, strlen(header), 4);
    st = opened(f);
    assert_int_equal(strlen(lpips_st_at(st, 0)->name), 255);
    lpips_st_close(st);
    free(f.bytes);
    sprintf(header, "{" T("%0256d", "1", "0", "4") "}", 0);
    sprintf(sentence, "%068d...: name of 256 bytes, at most 255 are accepted", 0);
    refused(file_of(header, strlen(header), 4), sentence);
}

static void test_accepts(void **state)
{
    static const char header[] =
        "{ \"b\\u00e9\\ud83d\\ude00\\n\\/\" : { \"data_offsets\":[4 , 12],\r\n\t"
        "\"shape\": [ 2,1 ],\"dtype\":\"F32\"} , \"__metadata__\":{\"net\":\"al\\u0065x\","
        "\"\xc3\xa9\":\"\"}, \"scalar\":{\"dtype\":\"F32\",\"shape\":[],"
        "\"data_offsets\":[0,4]},"
        "\"c\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[12,13]}}  \n ";
    file f = file_of(header, sizeof header - 1, 13);
    const lpips_st_tensor *t;
    lpips_safetensors *st;
    float v[2];

    (void)state;
    memcpy(f.bytes + f.size - 9, "\0\0\200\277\1\0\0\0", 8);
    st = opened(f);
    assert_int_equal(lpips_st_count(st), 3);
    assert_string_equal(lpips_st_at(st, 0)->name, "scalar");
    assert_int_equal(lpips_st_at(st, 0)->dims, 0);
    assert_int_equal(lpips_st_at(st, 0)->size, 4);
    assert_string_equal(lpips_st_at(st, 2)->dtype, "BOOL");
    t = lpips_st_find(st, "b\xc3\xa9\xf0\x9f\x98\x80\n/");
    assert_non_null(t);
    assert_ptr_equal(t, lpips_st_at(st, 1));
    assert_int_equal(t->dims, 2);
    assert_int_equal(t->shape[0], 2);
    assert_int_equal(t->shape[1], 1);
    assert_int_equal(t->size, 8);
    lpips_st_floats(t, v);
    assert_true(v[0] == -1);
    assert_true(v[1] == 0x1p-149f);
    assert_string_equal(lpips_st_metadata(st, "net"), "alex");
    assert_string_equal(lpips_st_metadata(st, "\xc3\xa9"), "");
    assert_null(lpips_st_metadata(st, "version"));
    assert_null(lpips_st_find(st, "absent"));
    lpips_st_close(st);
    free(f.bytes);
    lpips_st_close(NULL);
}

static const char two[] =
    "{\"__metadata__\":{\"n\\u0065t\":\"x\"}," T("a", "1", "0", "4") "," T("b", "2,2", "4",
                                                                           "20") "}";

/* No beginning of a file is a file. */
static void test_cut_short(void **state)
{
    file f = file_of(two, sizeof two - 1, 20);

    (void)state;
    lpips_st_close(opened(f));
    for (size_t n = 0; n < f.size; n++) {
        file part = raw((const char *)f.bytes, n);
        lpips_safetensors *st;

        assert_int_equal(lpips_st_open(&st, part.bytes, n, NULL, 0), LPIPS_ERR_WEIGHTS);
        assert_null(st);
        free(part.bytes);
    }
    free(f.bytes);
}

/* Any one byte changed: read or refused, and what was read lies inside the file. */
static void test_any_byte(void **state)
{
    file f = file_of(two, sizeof two - 1, 20);
    int taken = 0;

    (void)state;
    for (size_t n = 0; n < 8 + sizeof two - 1; n++) {
        unsigned char was = f.bytes[n];

        for (int c = 0; c < 256; c++) {
            lpips_safetensors *st;

            f.bytes[n] = (unsigned char)c;
            if (lpips_st_open(&st, f.bytes, f.size, NULL, 0))
                continue;
            taken++;
            for (int i = 0; i < lpips_st_count(st); i++) {
                const lpips_st_tensor *t = lpips_st_at(st, i);

                assert_true(t->data > f.bytes && t->data + t->size <= f.bytes + f.size);
            }
            lpips_st_close(st);
        }
        f.bytes[n] = was;
    }
    /* Names and metadata may change; structure may not. */
    assert_in_range(taken, 8 + sizeof two - 1, 4000);
    free(f.bytes);
}

static void test_detail(void **state)
{
    file f = raw("", 0);
    char detail[8] = "xxxxxxx";
    lpips_safetensors *st;

    (void)state;
    assert_int_equal(lpips_st_open(&st, f.bytes, 0, NULL, 100), LPIPS_ERR_WEIGHTS);
    assert_int_equal(lpips_st_open(&st, f.bytes, 0, detail, 0), LPIPS_ERR_WEIGHTS);
    assert_string_equal(detail, "xxxxxxx");
    assert_int_equal(lpips_st_open(&st, f.bytes, 0, detail, 4), LPIPS_ERR_WEIGHTS);
    assert_string_equal(detail, "not");
    assert_string_equal(detail + 4, "xxx");
    free(f.bytes);
}

/* FIPS 180-4's examples, and lengths around the end of a block in uneven pieces. */
static void check_sha256(lpips_sha256_blocks *blocks)
{
    static const struct {
        size_t n; /* times "a"; 0: text */
        const char *text, *hex;
    } known[] = {
        {0, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {0, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {0, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {55, NULL, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, NULL, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {64, NULL, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        {1000000, NULL, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    char hex[65], piece[100];

    memset(piece, 'a', sizeof piece);
    for (size_t i = 0; i < COUNT(known); i++) {
        lpips_sha256 s;
        size_t left = known[i].n, take = 1;

        lpips_sha256_init(&s, blocks);
        if (known[i].text)
            lpips_sha256_add(&s, known[i].text, strlen(known[i].text));
        for (; left; left -= take) {
            take = take % sizeof piece + 1;
            if (take > left)
                take = left;
            lpips_sha256_add(&s, piece, take);
        }
        lpips_sha256_hex(&s, hex);
        assert_string_equal(hex, known[i].hex);
    }
}

static void test_sha256(void **state)
{
    (void)state;
    check_sha256(NULL);
}

static void test_sha256_fast(void **state)
{
    (void)state;
    if (!lpips_sha256_fast())
        skip();
    check_sha256(lpips_sha256_fast());
}

/* Blocks of all kinds of bytes; starting at any address, many at once. */
static void test_sha256_alike(void **state)
{
    enum { BYTES = 64 * 40 };
    unsigned char *bytes = malloc(BYTES + 16);
    uint32_t x = 1;

    (void)state;
    if (!lpips_sha256_fast())
        skip();
    assert_non_null(bytes);
    for (int i = 0; i < BYTES + 16; i++)
        bytes[i] = (unsigned char)((x = x * 1664525 + 1013904223) >> 24);
    for (size_t at = 0; at < 16; at++) {
        lpips_sha256 a, b;

        lpips_sha256_init(&a, NULL);
        lpips_sha256_init(&b, lpips_sha256_fast());
        lpips_sha256_add(&a, bytes + at, BYTES);
        lpips_sha256_add(&b, bytes + at, BYTES);
        assert_memory_equal(a.state, b.state, sizeof a.state);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_nul_in_header),
        cmocka_unit_test(test_not_safetensors), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_accepts),         cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_any_byte),        cmocka_unit_test(test_detail),
        cmocka_unit_test(test_sha256),          cmocka_unit_test(test_sha256_fast),
        cmocka_unit_test(test_sha256_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
