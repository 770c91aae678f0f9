/*
 * report_plan.c - what lpips report plans: CSV by RFC 4180, manifests, baselines, the order
 * of numbered names.
 */
#include "batch.h"
#include "report_files.h"

#include <math.h>

static int read_manifest(report_plan *p, const void *data, size_t size, char why[REPORT_WHY])
{
    char path[128];

    memset(p, 0, sizeof *p);
    put("list", data, size);
    snprintf(path, sizeof path, "%s/list", root);
    return report_manifest(p, path, why) || report_plan_finish(p, why) ? -1 : 0;
}

/* ---- CSV --------------------------------------------------------------------- */

/* The rows of a text as "a|b;c|d;", or "error N" with the line that the sentence names. */
static char *rows_of(const char *data, size_t size)
{
    /* Of exactly this size, so that a step too far is seen by instrumented builds. */
    char *copy = malloc(size + 1), *text = NULL, why[REPORT_WHY];
    size_t length;
    FILE *f = open_memstream(&text, &length);
    report_csv c;
    int got;

    assert_non_null(copy);
    assert_non_null(f);
    memcpy(copy, data, size);
    report_csv_open(&c, copy, size);
    while ((got = report_csv_next(&c, why)) > 0) {
        assert_true(c.n >= 1 && c.first_line >= 1 && c.first_line <= c.line);
        for (size_t i = 0; i < c.n; i++)
            fprintf(f, "%s%s", i ? "|" : "", c.fields[i]);
        fputs(";", f);
    }
    if (got < 0) {
        long line;

        assert_int_equal(sscanf(why, "line %ld: ", &line), 1);
        fprintf(f, "error %ld", line);
    }
    fclose(f);
    free(copy);
    return text;
}

static void csv_rows(void **state)
{
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"", ""},
        {"a", "a;"},
        {"a,b\n1,2\n", "a|b;1|2;"},
        {"a,b\r\n1,2\r\n", "a|b;1|2;"},
        {"\xef\xbb\xbf"
         "a,b",
         "a|b;"},
        {"\n\r\na,b\n\n1,2\n\n", "a|b;1|2;"},
        {",\n", "|;"},
        {"a,\n,b", "a|;|b;"},
        {"\"a\"", "a;"},
        {"\"\",\"\"", "|;"},
        {"\"a,b\",c", "a,b|c;"},
        {"\"a\"\"b\"", "a\"b;"},
        {"\"\"\"\"", "\";"},
        {"\"two\nlines\",x\ny,z", "two\nlines|x;y|z;"},
        {"\"two\r\nlines\"", "two\r\nlines;"},
        {" a , b ", " a | b ;"},
        {"a\"b", "error 1"},
        {"x\n\"a\"b", "x;error 2"},
        {"x\ny\n\"open\n\n", "x;y;error 3"},
        {"\"open", "error 1"},
        {"\"", "error 1"},
        {"\"\n\n\n\"\nx\"y", "\n\n\n;error 5"},
        {"a\rb", "error 1"},
        {"a,b\r", "error 1"},
        {"\"a\"\r", "error 1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *rows = rows_of(cases[i].text, strlen(cases[i].text));

        assert_string_equal(rows, cases[i].rows);
        free(rows);
    }
}

static void csv_zero_bytes(void **state)
{
    static const char bare[] = "a\nb\0c", quoted[] = "a\n\"b\0c\"";
    char *rows = rows_of(bare, sizeof bare - 1);

    (void)state;
    assert_string_equal(rows, "a;error 2");
    free(rows);
    rows = rows_of(quoted, sizeof quoted - 1);
    assert_string_equal(rows, "a;error 2");
    free(rows);
}

static unsigned random_number(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

/* Whatever the fields hold, quoting brings them through. */
static void csv_round_trip(void **state)
{
    static const char letters[] = "a,\"\n\r \xc3\xa9;'\\";
    uint64_t seed = 1;

    (void)state;
    for (int n = 0; n < 2000; n++) {
        char text[1024], expected[512], *rows;
        size_t at = 0, want = 0;
        const unsigned fields = 1 + random_number(&seed, 6);

        for (unsigned i = 0; i < fields; i++) {
            at += (size_t)sprintf(text + at, "%s\"", i ? "," : "");
            want += (size_t)sprintf(expected + want, "%s", i ? "|" : "");
            for (unsigned k = random_number(&seed, 12); k; k--) {
                const char c = letters[random_number(&seed, sizeof letters - 1)];

                at += (size_t)sprintf(text + at, c == '"' ? "\"\"" : "%c", c);
                want += (size_t)sprintf(expected + want, "%c", c);
            }
            at += (size_t)sprintf(text + at, "\"");
        }
        sprintf(expected + want, ";");
        rows = rows_of(text, at);
        assert_string_equal(rows, expected);
        free(rows);
    }
}

/* ---- manifests --------------------------------------------------------------- */

#define HEAD "method,clip,reference,output\n"

static void manifest_values(void **state)
{
    static const char text[] =
        "clip,method,output,reference,subset,rate,quality,every,first,last\n"
        "\"a \"\"b\"\"\nc\",m,out.mp4,/abs/ref.mp4,easy,123.5,28,2,f 1.png,l.png\n"
        "k,m,out.mp4,ref.mp4,,,,,,\n";
    report_plan p;
    char why[REPORT_WHY] = "";
    const report_item *a, *b;

    (void)state;
    assert_int_equal(read_manifest(&p, text, sizeof text - 1, why), 0);
    assert_int_equal(p.n, 2);
    assert_true(p.codec);
    assert_string_equal(p.manifest, text);
    a = &p.items[0];
    b = &p.items[1];
    assert_int_equal(a->id, 1);
    assert_string_equal(a->clip, "a \"b\"\nc");
    assert_string_equal(a->method, "m");
    assert_string_equal(a->subset, "easy");
    assert_string_equal(a->quality, "28");
    assert_true(a->rate == 123.5);
    assert_int_equal(a->every, 2);
    assert_string_equal(a->reference, "/abs/ref.mp4");
    assert_string_equal(a->output, below_root("out.mp4"));
    assert_string_equal(a->first, below_root("f 1.png"));
    assert_string_equal(a->last, below_root("l.png"));
    assert_int_equal(b->id, 2);
    assert_string_equal(b->reference, below_root("ref.mp4"));
    assert_string_equal(b->subset, "");
    assert_null(b->quality);
    assert_true(isnan(b->rate));
    assert_int_equal(b->every, 0);
    assert_string_equal(b->first, "");
    report_plan_free(&p);
}

static void manifest_json(void **state)
{
    static const char *const texts[] = {
        "[{\"method\": \"m\", \"clip\": \"c\\n\", \"reference\": \"r\", \"output\": \"o\", "
        "\"rate\": 12.5, \"quality\": 28, \"every\": 4, \"subset\": null}]",
        "\xef\xbb\xbf {\"title\": \"T\", \"items\": [{\"method\": \"m\", \"clip\": \"c\\n\", "
        "\"reference\": \"r\", \"output\": \"o\", \"rate\": \"12.5\", \"quality\": \"28\", "
        "\"every\": \"4\"}]}"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        report_plan p;
        char why[REPORT_WHY] = "";

        assert_int_equal(read_manifest(&p, texts[i], strlen(texts[i]), why), 0);
        assert_int_equal(p.n, 1);
        assert_string_equal(p.items[0].clip, "c\n");
        assert_string_equal(p.items[0].quality, "28");
        assert_true(p.items[0].rate == 12.5);
        assert_int_equal(p.items[0].every, 4);
        assert_string_equal(p.items[0].output, below_root("o"));
        assert_string_equal(p.title ? p.title : "none", i ? "T" : "none");
        report_plan_free(&p);
    }
}

/* Each says where, and what is wrong. */
static void manifest_errors(void **state)
{
    static const struct {
        const char *text, *where, *what;
    } cases[] = {
        {"", "", "is empty"},
        {HEAD, "", "nothing to score"},
        {"method,clip,reference\na,b,c\n", "line 1", "\"output\" is missing"},
        {"method;clip;reference;output\n", "line 1", "separated by commas"},
        {"method,clip,reference,output,qualty\n", "line 1", "\"qualty\""},
        {"method,clip,clip,reference,output\n", "line 1", "\"clip\" comes twice"},
        {HEAD "m,c,r\n", "line 2", "3 field(s) where the first line has 4"},
        {HEAD "m,c,r,o,x\n", "line 2", "5 field(s)"},
        {HEAD "\n\nm,c,r,o\n\n,c,r,o\n", "line 6", "method is empty"},
        {HEAD "m,c,,o\n", "line 2", "reference is empty"},
        {HEAD "m,\"c\nd\",r,o\nm,x,r,\n", "line 4", "output is empty"},
        {HEAD "m,c,r,o\nm,d,r,o\nm,c,r,o\n", "line 4", "(the other is in line 2)"},
        {HEAD "m,c\xff,r,o\n", "line 2", "clip is not UTF-8"},
        {HEAD "m,c,r,\"o\n", "line 2", "never closed"},
        {"method,clip,reference,output,rate\nm,c,r,o,fast\n", "line 2", "rate \"fast\""},
        {"method,clip,reference,output,rate\nm,c,r,o,1,5\n", "line 2", "6 field(s)"},
        {"method,clip,reference,output,rate\nm,c,r,o,-1\n", "line 2", "rate \"-1\""},
        {"method,clip,reference,output,rate\nm,c,r,o,0\n", "line 2", "rate is 0"},
        {"method,clip,reference,output,rate\nm,c,r,o,nan\n", "line 2", "rate \"nan\""},
        {"method,clip,reference,output,rate\nm,c,r,o,1e999\n", "line 2", "rate"},
        {"method,clip,reference,output,every\nm,c,r,o,1\n", "line 2", "every is 1"},
        {"method,clip,reference,output,every\nm,c,r,o,2.5\n", "line 2", "every is 2.5"},
        {"method,clip,reference,output,every\nm,c,r,o,65\n", "line 2", "from 0 to 64"},
        {"method,clip,reference,output,first\nm,c,r,o,f\n", "line 2", "first and last"},
        {"[", "line 1", "column"},
        {"[{\"method\": \"m\"}]", "item 1", "clip is empty"},
        {"[{\"method\": \"m\", \"clip\": \"c\", \"reference\": \"r\", \"output\": [1]}]",
         "item 1", "output is neither"},
        {"[{\"method\": \"m\", \"klip\": \"c\"}]", "item 1", "\"klip\""},
        {"[1]", "item 1", "no object"},
        {"{\"items\": [], \"titel\": \"x\"}", "", "\"titel\""},
        {"{\"items\": []}", "", "nothing to score"},
        {"{\"clips\": []}", "", "list of items"},
        {"[{\"method\": \"a\\u0000\"}]", "line 1", "NUL"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        report_plan p;
        char why[REPORT_WHY] = "";

        if (!read_manifest(&p, cases[i].text, strlen(cases[i].text), why))
            fail_msg("taken without a word: %s", cases[i].text);
        if (!strstr(why, cases[i].where) || !strstr(why, cases[i].what))
            fail_msg("%s\nsays: %s\nexpected: %s, %s", cases[i].text, why, cases[i].where,
                     cases[i].what);
        report_plan_free(&p);
    }
}

static void same_names_of_codecs(void **state)
{
    static const struct {
        const char *a, *b;
        bool good;
    } cases[] = {{"28,", "32,", true},    {"28,100", "28,200", false}, {",100", ",200", true},
                 {",100", ",100", false}, {",", ",100", false},        {"28,", ",100", true}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        report_plan p;
        char text[300], why[REPORT_WHY];

        snprintf(text, sizeof text,
                 "method,clip,reference,output,quality,rate\nm,c,r,o,%s\nm,c,r,o,%s\n",
                 cases[i].a, cases[i].b);
        assert_int_equal(!read_manifest(&p, text, strlen(text), why), cases[i].good);
        report_plan_free(&p);
    }
}

/* Manifests with bytes changed, taken out and put in: an error or a plan, never a crash. */
static void manifest_damaged(void **state)
{
    static const char *const whole[] = {
        HEAD "\"m \"\"x\"\"\",\"c\nd\",r.png,o.png\nm2,c2,/r,o\n",
        "method,clip,reference,output,rate,every,quality\nm,c,r,o,1e2,2,q\n",
        "{\"title\": \"t\", \"items\": [{\"method\": \"m\", \"clip\": \"c\", \"reference\": "
        "\"r\", \"output\": \"o\", \"rate\": 1.5}]}"};
    static const char letters[] = "\",\n\r\0;\xff\xc3 1e[]{}:\\u";
    uint64_t seed = 2;
    int good = 0, bad = 0;

    (void)state;
    for (int n = 0; n < 6000; n++) {
        char text[512], why[REPORT_WHY] = "";
        size_t size = strlen(whole[n % 3]);
        report_plan p;

        memcpy(text, whole[n % 3], size);
        for (unsigned k = 1 + random_number(&seed, 3); k && size; k--) {
            const size_t at = random_number(&seed, (unsigned)size);
            const char c = letters[random_number(&seed, sizeof letters - 1)];

            switch (random_number(&seed, 4)) {
            case 0:
                text[at] = c;
                break;
            case 1:
                memmove(text + at, text + at + 1, size-- - at - 1);
                break;
            case 2:
                memmove(text + at + 1, text + at, size++ - at);
                text[at] = c;
                break;
            default:
                size = at + 1;
            }
        }
        if (read_manifest(&p, text, size, why)) {
            bad++;
            assert_true(*why);
        } else {
            good++;
            for (size_t i = 0; i < p.n; i++)
                assert_true(*p.items[i].method && *p.items[i].clip &&
                            p.items[i].reference[0] == '/' && p.items[i].output[0] == '/');
        }
        report_plan_free(&p);
    }
    assert_true(good > 300 && bad > 1500);
}

/* ---- baselines --------------------------------------------------------------- */

static void baselines(void **state)
{
    static const char text[] = "method,clip,reference,output,subset,every,first,last\n"
                               "a,x,r,o,,2,,\nb,x,r,p,,2,,\na,y,s,q,hard,,f,l\n";
    report_plan p;
    char why[REPORT_WHY];

    (void)state;
    assert_int_equal(read_manifest(&p, text, sizeof text - 1, why), 0);
    assert_int_equal(report_plan_baseline(&p, "blend", why), 0);
    assert_int_equal(report_plan_baseline(&p, "repeat", why), 0);
    assert_int_equal(report_plan_finish(&p, why), 0);
    assert_int_equal(p.n, 7);
    assert_string_equal(p.items[3].method, "blend");
    assert_string_equal(p.items[3].clip, "x");
    assert_string_equal(p.items[3].output, "baseline:blend");
    assert_int_equal(p.items[3].every, 2);
    assert_string_equal(p.items[4].subset, "hard");
    assert_string_equal(p.items[4].last, below_root("l"));
    assert_string_equal(p.items[6].output, "baseline:repeat");
    assert_int_equal(p.items[6].id, 7);
    report_plan_free(&p);
}

static void baselines_refused(void **state)
{
    static const struct {
        const char *rows, *what;
    } cases[] = {{"a,x,r,o,\n", "line 2: no \"blend\" can be made for clip \"x\""},
                 {"a,x,r,o,2\nb,x,r2,o,2\n", "line 3: clip \"x\" has another reference"},
                 {"a,x,r,o,2\nb,x,r,o,3\n", "has another reference, first, last or every"},
                 {"blend,x,r,o,2\n", "\"blend\" on clip \"x\" comes twice"}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        report_plan p;
        char text[200], why[REPORT_WHY] = "";

        snprintf(text, sizeof text, "method,clip,reference,output,every\n%s", cases[i].rows);
        assert_int_equal(read_manifest(&p, text, strlen(text), why), 0);
        assert_true(report_plan_baseline(&p, "blend", why) || report_plan_finish(&p, why));
        if (!strstr(why, cases[i].what))
            fail_msg("says: %s\nexpected: %s", why, cases[i].what);
        report_plan_free(&p);
    }
}

/* ---- names ------------------------------------------------------------------- */

static void natural_order(void **state)
{
    static const char *const ordered[] = {"",
                                          "a",
                                          "a1",
                                          "a01",
                                          "a1b",
                                          "a2",
                                          "a2x10",
                                          "a02x9",
                                          "a10",
                                          "a010",
                                          "a99",
                                          "a100",
                                          "a99999999999999999999998",
                                          "a99999999999999999999999",
                                          "b"};
    static const int same[][2] = {{6, 7}};

    (void)state;
    for (size_t i = 0; i < COUNT(ordered); i++)
        for (size_t k = 0; k < COUNT(ordered); k++) {
            const int order = report_natural(ordered[i], ordered[k]);

            if (((int)i == same[0][0] && (int)k == same[0][1]) ||
                ((int)i == same[0][1] && (int)k == same[0][0]))
                continue;
            if ((ordered[i] == ordered[k]) != !order)
                fail_msg("%s and %s: %d", ordered[i], ordered[k], order);
        }
    assert_true(report_natural("im2.png", "im10.png") < 0);
    assert_true(report_natural("2x9", "2x10") < 0);
    assert_true(report_natural("02x9", "2x10") < 0);
    assert_true(report_natural("frame_9", "frame_010") < 0);
    assert_true(report_natural("a01", "a1") != 0);
    assert_true(report_natural("a01", "a1") == -report_natural("a1", "a01"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(csv_rows),         TEST(csv_zero_bytes),
                                       TEST(csv_round_trip),   TEST(manifest_values),
                                       TEST(manifest_json),    TEST(manifest_errors),
                                       TEST(manifest_damaged), TEST(same_names_of_codecs),
                                       TEST(baselines),        TEST(baselines_refused),
                                       TEST(natural_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
