/*
 * safetensors.c - strict reader of safetensors files held in memory.
 *
 * The header is scanned by hand for the one shape of JSON that the format allows, so
 * there is no recursion and nothing is built but the list of tensors.
 */
#include "safetensors.h"

#include "../core/lpips.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lpips_safetensors {
    int tensors, pairs;
    lpips_st_tensor tensor[LPIPS_ST_MAX_TENSORS];
    const char *key[LPIPS_ST_MAX_METADATA], *value[LPIPS_ST_MAX_METADATA];
    char text[]; /* decoded strings */
};

/* A decoded string is no longer than its source, and its NUL takes the place of a
 * quote: as many bytes as the header has are room enough for all of them. */
typedef struct scanner {
    const unsigned char *start, *p, *end; /* the header */
    const unsigned char *data;
    uint64_t data_size;
    lpips_safetensors *st;
    char *text; /* next free byte */
    char *detail;
    size_t detail_size;
} scanner;

int lpips_refuse(int status, char *detail, size_t size, const char *format, ...)
{
    va_list args;

    if (detail && size) {
        va_start(args, format);
        vsnprintf(detail, size, format, args);
        va_end(args);
    }
    return status;
}

#define REFUSE(s, ...) \
    lpips_refuse(LPIPS_ERR_WEIGHTS, (s)->detail, (s)->detail_size, __VA_ARGS__)

lpips_shown lpips_show(const char *name)
{
    lpips_shown out;
    size_t i;

    for (i = 0; name[i] && i + 4 < sizeof out.text; i++)
        out.text[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
    strcpy(out.text + i, name[i] ? "..." : "");
    return out;
}

/* ---- tokens --------------------------------------------------------------- */

static int refuse_at(const scanner *s, const char *what)
{
    return REFUSE(s, "header, byte %zu: %s", (size_t)(s->p - s->start), what);
}

static void skip_blanks(scanner *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
        s->p++;
}

static int accept(scanner *s, char c)
{
    skip_blanks(s);
    if (s->p == s->end || *s->p != c)
        return 0;
    s->p++;
    return 1;
}

static int expect(scanner *s, char c)
{
    char what[] = "expected '?'";

    if (accept(s, c))
        return LPIPS_OK;
    what[10] = c;
    return refuse_at(s, what);
}

/* Length of the UTF-8 sequence at p; 0 for an invalid one (RFC 3629, section 4). */
static int utf8_length(const unsigned char *p, const unsigned char *end)
{
    int n = *p < 0x80                 ? 1
            : *p >= 0xc2 && *p < 0xe0 ? 2
            : *p >= 0xe0 && *p < 0xf0 ? 3
            : *p >= 0xf0 && *p < 0xf5 ? 4
                                      : 0;

    if (n > end - p)
        return 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if (n > 2 && ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
                  (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f)))
        return 0;
    return n;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 63));
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    }
    return out;
}

/* The four digits after "\u"; UINT32_MAX for anything else. */
static uint32_t read_hex4(scanner *s)
{
    uint32_t v = 0;

    if (s->end - s->p < 4)
        return UINT32_MAX;
    for (int i = 0; i < 4; i++) {
        unsigned char c = *s->p++;

        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            v = v << 4 | (uint32_t)((c | 32) - 'a' + 10);
        else
            return UINT32_MAX;
    }
    return v;
}

/* What stands after a backslash. */
static int read_escape(scanner *s)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int letter = s->p < s->end ? *s->p++ : 0;
    const char *found = letter ? strchr(from, letter) : NULL;
    uint32_t c, low;

    if (found) {
        *s->text++ = to[found - from];
        return LPIPS_OK;
    }
    if (letter != 'u')
        return refuse_at(s, "unknown escape in a string");
    c = read_hex4(s);
    if (c >= 0xd800 && c < 0xdc00 && s->end - s->p >= 6 && s->p[0] == '\\' &&
        s->p[1] == 'u') {
        s->p += 2;
        low = read_hex4(s);
        c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00)
                                          : UINT32_MAX;
    }
    if (!c)
        return refuse_at(s, "NUL inside a string");
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return refuse_at(s, "\\u escape is no character");
    s->text = put_utf8(s->text, c);
    return LPIPS_OK;
}

static int read_string(scanner *s, const char **out)
{
    int status = expect(s, '"');

    *out = s->text;
    while (!status && s->p < s->end && *s->p != '"') {
        int n = utf8_length(s->p, s->end);

        if (*s->p < ' ')
            return refuse_at(s, "control character in a string");
        if (!n)
            return refuse_at(s, "invalid UTF-8");
        if (*s->p == '\\') {
            s->p++;
            status = read_escape(s);
        } else {
            memcpy(s->text, s->p, (size_t)n);
            s->text += n;
            s->p += n;
        }
    }
    if (status)
        return status;
    if (s->p == s->end)
        return refuse_at(s, "string without an end");
    s->p++;
    *s->text++ = 0;
    return LPIPS_OK;
}

static int read_name(scanner *s, const char **out)
{
    int status = read_string(s, out);

    if (status)
        return status;
    if (!**out)
        return refuse_at(s, "empty name");
    if (strlen(*out) > LPIPS_ST_MAX_NAME)
        return REFUSE(s, "%s: name of %zu bytes, at most %d are accepted",
                      lpips_show(*out).text, strlen(*out), LPIPS_ST_MAX_NAME);
    return LPIPS_OK;
}

static int read_number(scanner *s, uint64_t *out)
{
    const unsigned char *first;
    uint64_t v = 0;

    skip_blanks(s);
    for (first = s->p; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
        uint64_t digit = *s->p - (uint64_t)'0';

        if (v > (INT64_MAX - digit) / 10)
            return refuse_at(s, "number too large");
        v = 10 * v + digit;
    }
    if (s->p == first)
        return refuse_at(s, "expected a whole number, zero or more");
    if (*first == '0' && s->p - first > 1)
        return refuse_at(s, "number with a leading zero");
    *out = v;
    return LPIPS_OK;
}

/* [a, b, ...]; *n receives how many, at most max. */
static int read_numbers(scanner *s, uint64_t *v, int max, int *n)
{
    int status = expect(s, '[');

    *n = 0;
    if (status || accept(s, ']'))
        return status;
    do {
        if (*n == max)
            return refuse_at(s, "more numbers in a list than accepted");
        status = read_number(s, &v[(*n)++]);
    } while (!status && accept(s, ','));
    return status ? status : expect(s, ']');
}

/* ---- the header ----------------------------------------------------------- */

static int read_metadata(scanner *s)
{
    lpips_safetensors *st = s->st;
    int status = expect(s, '{');

    if (status || accept(s, '}'))
        return status;
    do {
        const char *key, *value;

        status = read_name(s, &key);
        if (status || (status = expect(s, ':')) || (status = read_string(s, &value)))
            return status;
        if (lpips_st_metadata(st, key))
            return REFUSE(s, "__metadata__: %s occurs twice", lpips_show(key).text);
        if (st->pairs == LPIPS_ST_MAX_METADATA)
            return REFUSE(s, "__metadata__: more than %d entries", LPIPS_ST_MAX_METADATA);
        st->key[st->pairs] = key;
        st->value[st->pairs++] = value;
    } while (accept(s, ','));
    return expect(s, '}');
}

/* Bytes of one element and the dtype's own string; 0 for an unknown one. */
static unsigned element_size(const char **dtype)
{
    static const struct {
        const char *name;
        unsigned size;
    } known[] = {
        {"F32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}, {"F8_E4M3", 1},
        {"I8", 1},  {"I16", 2}, {"I32", 4}, {"I64", 8},  {"F8_E5M2", 1},
        {"U8", 1},  {"U16", 2}, {"U32", 4}, {"U64", 8},  {"BOOL", 1},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!strcmp(*dtype, known[i].name)) {
            *dtype = known[i].name;
            return known[i].size;
        }
    }
    return 0;
}

static int check_tensor(scanner *s, lpips_st_tensor *t, const char *dtype,
                        const uint64_t offset[2])
{
    const lpips_shown name = lpips_show(t->name);
    uint64_t bytes = element_size(&dtype);

    if (!bytes)
        return REFUSE(s, "%s: unknown dtype %s", name.text, lpips_show(dtype).text);
    t->dtype = dtype;
    for (int i = 0; i < t->dims; i++) {
        if (!t->shape[i])
            return REFUSE(s, "%s: shape with a 0 in it", name.text);
        if (bytes > INT64_MAX / t->shape[i])
            return REFUSE(s, "%s: shape too large", name.text);
        bytes *= t->shape[i];
    }
    if (offset[0] > offset[1])
        return REFUSE(s, "%s: data_offsets run backwards", name.text);
    if (offset[1] > s->data_size)
        return REFUSE(s, "%s: data_offsets end at byte %llu of %llu; is the file cut short?",
                      name.text, (unsigned long long)offset[1],
                      (unsigned long long)s->data_size);
    if (offset[1] - offset[0] != bytes)
        return REFUSE(s, "%s: data_offsets span %llu bytes, dtype and shape need %llu",
                      name.text, (unsigned long long)(offset[1] - offset[0]),
                      (unsigned long long)bytes);
    t->data = s->data + offset[0];
    t->size = (size_t)bytes;
    return LPIPS_OK;
}

/* {"dtype":...,"shape":...,"data_offsets":...}, each once, in any order. */
static int read_tensor(scanner *s, const char *name)
{
    enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4 };
    lpips_safetensors *st = s->st;
    lpips_st_tensor *t = &st->tensor[st->tensors];
    const char *key, *dtype = "";
    uint64_t offset[2];
    int seen = 0, status, n = 2;

    if (lpips_st_find(st, name))
        return REFUSE(s, "%s: occurs twice", lpips_show(name).text);
    if (st->tensors == LPIPS_ST_MAX_TENSORS)
        return REFUSE(s, "%s: more than %d tensors", lpips_show(name).text,
                      LPIPS_ST_MAX_TENSORS);
    if ((status = expect(s, '{')))
        return status;
    do {
        int is;

        if ((status = read_name(s, &key)) || (status = expect(s, ':')))
            return status;
        is = !strcmp(key, "dtype")          ? DTYPE
             : !strcmp(key, "shape")        ? SHAPE
             : !strcmp(key, "data_offsets") ? OFFSETS
                                            : 0;
        if (!is || seen & is)
            return REFUSE(s, "%s: %s key %s", lpips_show(name).text,
                          is ? "repeated" : "unknown", lpips_show(key).text);
        seen |= is;
        status = is == DTYPE   ? read_string(s, &dtype)
                 : is == SHAPE ? read_numbers(s, t->shape, LPIPS_ST_MAX_DIMS, &t->dims)
                               : read_numbers(s, offset, 2, &n);
        if (status)
            return status;
    } while (accept(s, ','));
    if ((status = expect(s, '}')))
        return status;
    if (seen != (DTYPE | SHAPE | OFFSETS) || n != 2)
        return REFUSE(s, "%s: needs dtype, shape and two data_offsets",
                      lpips_show(name).text);
    t->name = name;
    if ((status = check_tensor(s, t, dtype, offset)))
        return status;
    st->tensors++;
    return LPIPS_OK;
}

static int by_place(const void *a, const void *b)
{
    const lpips_st_tensor *x = a, *y = b;

    return (x->data > y->data) - (x->data < y->data);
}

/* Every byte of the data belongs to exactly one tensor. */
static int check_places(scanner *s)
{
    lpips_safetensors *st = s->st;
    const unsigned char *next = s->data;

    qsort(st->tensor, (size_t)st->tensors, sizeof *st->tensor, by_place);
    for (int i = 0; i < st->tensors; i++) {
        const lpips_st_tensor *t = &st->tensor[i];

        if (t->data < next)
            return REFUSE(s, "%s: overlaps %s", lpips_show(t->name).text,
                          lpips_show(st->tensor[i - 1].name).text);
        if (t->data > next)
            return REFUSE(s, "%s: %zu bytes before it belong to no tensor",
                          lpips_show(t->name).text, (size_t)(t->data - next));
        next = t->data + t->size;
    }
    if (next != s->data + s->data_size)
        return REFUSE(s, "%llu bytes after the last tensor belong to none",
                      (unsigned long long)(s->data_size - (uint64_t)(next - s->data)));
    return LPIPS_OK;
}

static int read_header(scanner *s)
{
    int status = LPIPS_OK, metadata = 0;

    if (s->p == s->end || *s->p != '{')
        return refuse_at(s, "expected '{'");
    s->p++;
    if (!accept(s, '}')) {
        do {
            const char *name;

            if ((status = read_name(s, &name)) || (status = expect(s, ':')))
                return status;
            if (strcmp(name, "__metadata__"))
                status = read_tensor(s, name);
            else if (metadata++)
                status = REFUSE(s, "__metadata__: occurs twice");
            else
                status = read_metadata(s);
            if (status)
                return status;
        } while (accept(s, ','));
        if ((status = expect(s, '}')))
            return status;
    }
    skip_blanks(s);
    if (s->p != s->end)
        return refuse_at(s, "text after the last '}'");
    return check_places(s);
}

/* What a file that is none often is; NULL where nothing is known. */
static const char *other_kind(const unsigned char *p, size_t size)
{
    static const struct {
        const char *magic, *kind;
    } known[] = {
        {"PK\003\004",
         "a zip archive, such as a PyTorch .pth; weights/convert.py reads those"},
        {"\200\002",
         "a Python pickle, such as a PyTorch .pth; weights/convert.py reads those"},
        {"version https://git-lfs", "a Git LFS pointer: fetch the file itself"},
        {"<", "a web page or XML"},
        {"\037\213", "compressed with gzip"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i].magic);

        /* One or two bytes may also be the low end of a sane length. */
        if (size >= n && !memcmp(p, known[i].magic, n) && (n > 2 || size < 8 || p[7]))
            return known[i].kind;
    }
    return NULL;
}

static int check_length(const unsigned char *p, size_t size, size_t *header, char *detail,
                        size_t detail_size)
{
    uint64_t n = 0;
    const char *kind;

    for (int i = 7; size >= 8 && i >= 0; i--)
        n = n << 8 | p[i];
    if (size >= 10 && n >= 2 && n <= LPIPS_ST_MAX_HEADER && n <= size - 8) {
        *header = (size_t)n;
        return LPIPS_OK;
    }
    if ((kind = other_kind(p, size)))
        return lpips_refuse(LPIPS_ERR_WEIGHTS, detail, detail_size, "not safetensors but %s",
                            kind);
    if (size < 10 || n < 2)
        return lpips_refuse(LPIPS_ERR_WEIGHTS, detail, detail_size,
                            "not safetensors: %zu bytes, header length %llu", size,
                            (unsigned long long)n);
    if (n > LPIPS_ST_MAX_HEADER)
        return lpips_refuse(LPIPS_ERR_WEIGHTS, detail, detail_size,
                            "not safetensors: header length %llu, at most %d is accepted",
                            (unsigned long long)n, LPIPS_ST_MAX_HEADER);
    return lpips_refuse(LPIPS_ERR_WEIGHTS, detail, detail_size,
                        "header length %llu in a file of %zu bytes; is it cut short?",
                        (unsigned long long)n, size);
}

/* ---- interface ------------------------------------------------------------ */

int lpips_st_open(lpips_safetensors **out, const void *bytes, size_t size, char *detail,
                  size_t detail_size)
{
    const unsigned char *p = bytes;
    scanner s = {0};
    size_t header = 0;
    int status;

    *out = NULL;
    status = check_length(p, size, &header, detail, detail_size);
    if (status)
        return status;
    s.st = calloc(1, sizeof *s.st + header);
    if (!s.st)
        return lpips_refuse(LPIPS_ERR_MEMORY, detail, detail_size,
                            "no memory to read the header");
    s.start = s.p = p + 8;
    s.end = s.data = s.start + header;
    s.data_size = size - 8 - header;
    s.text = s.st->text;
    s.detail = detail;
    s.detail_size = detail_size;
    status = read_header(&s);
    if (status)
        free(s.st);
    else
        *out = s.st;
    return status;
}

void lpips_st_close(lpips_safetensors *st)
{
    free(st);
}

int lpips_st_count(const lpips_safetensors *st)
{
    return st->tensors;
}

const lpips_st_tensor *lpips_st_at(const lpips_safetensors *st, int i)
{
    return &st->tensor[i];
}

const lpips_st_tensor *lpips_st_find(const lpips_safetensors *st, const char *name)
{
    for (int i = 0; i < st->tensors; i++)
        if (!strcmp(st->tensor[i].name, name))
            return &st->tensor[i];
    return NULL;
}

const char *lpips_st_metadata(const lpips_safetensors *st, const char *key)
{
    for (int i = 0; i < st->pairs; i++)
        if (!strcmp(st->key[i], key))
            return st->value[i];
    return NULL;
}

void lpips_st_floats(const lpips_st_tensor *t, float *out)
{
    const unsigned char *p = t->data;

    for (size_t i = 0; i < t->size / 4; i++, p += 4) {
        uint32_t bits =
            (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];

        memcpy(out + i, &bits, 4);
    }
}
