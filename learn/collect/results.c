/*
 * results.c - see results.h.
 */
#include "results.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char results_format[] = "lpips-collect results";
enum { RESULTS_VERSION = 1, BYTES_MAX = 16 << 20, SCALE_MAX = 10000 };
#define MS_MAX ((json_int_t)1000000000) /* eleven days */

bool collect_is_session(const char *text)
{
    return strlen(text) == COLLECT_SESSION &&
           strspn(text, "0123456789abcdef") == COLLECT_SESSION;
}

/* ---- one answer --------------------------------------------------------------------- */

/* Digits and marks of ISO 8601 alone: it is shown to people later. */
static int take_stamp(char out[COLLECT_STAMP], const char *text)
{
    if (strlen(text) >= COLLECT_STAMP || strspn(text, "0123456789-:.TZ") != strlen(text))
        return -1;
    strcpy(out, text);
    return 0;
}

static int take_shown(const collect_study *s, collect_answer *a, json_t *shown)
{
    if (s->task != LEARN_JND)
        return shown ? -1 : 0;
    if (!shown || json_unpack(shown, "[FFF!]", &a->shown[0], &a->shown[1], &a->shown[2]))
        return -1;
    for (int i = 0; i < 3; i++)
        if (!(a->shown[i] >= 0 && a->shown[i] < MS_MAX))
            return -1;
    return 0;
}

int collect_answer_read(const collect_study *s, int rater, json_t *from, collect_answer *out,
                        char why[LEARN_WHY])
{
    const char *theme = "", *at = "";
    json_t *shown = NULL;
    json_int_t trial, flip, choice, ms, scale = 0;
    json_error_t error;

    *out = (collect_answer){.shown = {-1, -1, -1}};
    if (json_unpack_ex(from, &error, 0, "{sI sI sI sI s?I s?s s?s s?o}", "trial", &trial,
                       "flip", &flip, "choice", &choice, "ms", &ms, "scale", &scale, "theme",
                       &theme, "at", &at, "shown", &shown))
        return learn_fail(why, "an answer is not of the form it should be: %s", error.text);
    if (trial < 0 || (size_t)trial >= s->n || !collect_asked(s, rater, (size_t)trial))
        return learn_fail(why, "trial %lld is none that rater %d was asked", (long long)trial,
                          rater);
    if ((flip | 1) != 1 || (choice | 1) != 1 || ms < 0 || ms > MS_MAX || scale < 0 ||
        scale > SCALE_MAX || (*theme && strcmp(theme, "dark") && strcmp(theme, "light")) ||
        take_stamp(out->at, at) || take_shown(s, out, shown))
        return learn_fail(why, "the answer to trial %lld has a value out of its range",
                          (long long)trial);
    out->trial = (size_t)trial;
    out->flip = (int)flip;
    out->choice = (int)choice;
    out->ms = ms;
    out->scale = (int)scale;
    strcpy(out->theme, theme);
    return 0;
}

json_t *collect_answer_json(const collect_answer *a)
{
    json_t *one = json_pack("{sI si si sI si ss ss}", "trial", (json_int_t)a->trial, "flip",
                            a->flip, "choice", a->choice, "ms", (json_int_t)a->ms, "scale",
                            a->scale, "theme", a->theme, "at", a->at);

    if (a->shown[0] >= 0)
        json_object_set_new(one, "shown",
                            json_pack("[fff]", a->shown[0], a->shown[1], a->shown[2]));
    return one;
}

/* ---- a file ------------------------------------------------------------------------- */

static json_t *load(const char *path, char why[LEARN_WHY])
{
    FILE *f = fopen(path, "rb");
    char *text = malloc(BYTES_MAX + 1);
    json_t *from = NULL;
    json_error_t error;
    size_t n = 0;

    if (!f)
        learn_fail(why, "%s cannot be opened: %s", path, strerror(errno));
    else if (!text)
        learn_no_memory(why);
    else if ((n = fread(text, 1, BYTES_MAX + 1, f)) > BYTES_MAX)
        learn_fail(why, "%s is larger than 16 MiB, which is no results file", path);
    else if (ferror(f))
        learn_fail(why, "%s cannot be read: %s", path, strerror(errno));
    else if (!(from = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error)))
        learn_fail(why, "%s is damaged or no results file (line %d: %s): have it sent again",
                   path, error.line, error.text);
    if (f)
        fclose(f);
    free(text);
    return from;
}

static int read_head(const collect_study *s, json_t *from, collect_results *out,
                     json_t **answers, char why[LEARN_WHY])
{
    const char *format, *study, *session;
    json_int_t version, rater;

    if (json_unpack(from, "{ss sI ss sI ss so}", "format", &format, "version", &version,
                    "study", &study, "rater", &rater, "session", &session, "answers",
                    answers) ||
        strcmp(format, results_format))
        return learn_fail(why, "it is no results file of this page");
    if (version != RESULTS_VERSION)
        return learn_fail(why, "it is of version %lld, and this program reads version %d",
                          (long long)version, RESULTS_VERSION);
    if (strcmp(study, s->hash))
        return learn_fail(why, "it answers another study (%.12s, not %.12s)", study, s->hash);
    if (rater < 1 || rater > COLLECT_RATER_MAX || !collect_is_session(session) ||
        !json_is_array(*answers) || json_array_size(*answers) > s->n)
        return learn_fail(why,
                          "its rater, session or answers are not of the form they should "
                          "be");
    out->rater = (int)rater;
    strcpy(out->session, session);
    return 0;
}

static int read_answers(const collect_study *s, json_t *from, collect_results *out,
                        char why[LEARN_WHY])
{
    const size_t n = json_array_size(from);
    char *seen = calloc(s->n, 1);
    int status = 0;

    out->answers = calloc(n + 1, sizeof *out->answers);
    if (!seen || !out->answers)
        status = learn_no_memory(why);
    for (size_t i = 0; i < n && !status; i++) {
        collect_answer *a = &out->answers[i];

        status = collect_answer_read(s, out->rater, json_array_get(from, i), a, why);
        if (!status && seen[a->trial]++)
            status = learn_fail(why, "it answers trial %zu twice", a->trial);
        out->n += !status;
    }
    free(seen);
    return status;
}

int collect_results_read(const collect_study *s, const char *path, collect_results *out,
                         char why[LEARN_WHY])
{
    char what[LEARN_WHY];
    json_t *from = load(path, why), *answers;
    int status;

    *out = (collect_results){0};
    if (!from)
        return -1;
    status = read_head(s, from, out, &answers, what);
    if (!status)
        status = read_answers(s, answers, out, what);
    json_decref(from);
    return status ? learn_fail(why, "%s: %s", path, what) : 0;
}

void collect_results_free(collect_results *r)
{
    free(r->answers);
    *r = (collect_results){0};
}
