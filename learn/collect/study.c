/*
 * study.c - studies as JSON, and as the page.  See study.h.
 */
#include "study.h"

#include "output.h"

#include <stdlib.h>
#include <string.h>

#include <libavutil/mem.h>
#include <libavutil/sha.h>

static const char study_format[] = "lpips-collect study";
enum { STUDY_VERSION = 1, SUBSETS_MAX = 10000, TRIALS_MAX = 10000000 };

/* shell.S: the page of learn/collect/page, put together by assemble.py. */
extern const char collect_shell[], collect_shell_end[];

static const char *const roles[] = {"item", "sentinel", "practice"};

void collect_study_free(collect_study *s)
{
    for (size_t i = 0; s->trials && i < s->n; i++)
        free(s->trials[i].stem);
    for (size_t i = 0; i < s->n_subsets; i++) {
        if (s->labels)
            free(s->labels[i]);
        if (s->folders)
            free(s->folders[i]);
    }
    free(s->labels);
    free(s->folders);
    free(s->trials);
    free(s->title);
    *s = (collect_study){0};
}

int collect_hash(char *hex, size_t digits, const void *data, size_t size, char why[LEARN_WHY])
{
    struct AVSHA *sha = av_sha_alloc();
    uint8_t digest[32];

    if (!sha || av_sha_init(sha, 256) < 0) {
        av_free(sha);
        return learn_no_memory(why);
    }
    av_sha_update(sha, data, size);
    av_sha_final(sha, digest);
    av_free(sha);
    for (size_t i = 0; i < digits; i++)
        hex[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    hex[digits] = 0;
    return 0;
}

int collect_asked(const collect_study *s, int rater, size_t trial)
{
    const collect_trial *t = &s->trials[trial];

    return t->role == COLLECT_SENTINEL ||
           (t->role == COLLECT_ITEM && t->block == (size_t)(rater - 1) % s->n_blocks);
}

/* ---- writing ------------------------------------------------------------------------ */

static json_t *names_json(char *const *names, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(names[i]));
    return list;
}

static json_t *pictures_json(const collect_study *s, const collect_trial *t)
{
    json_t *list = json_array();

    for (int i = 0; i < (s->task == LEARN_2AFC ? 3 : 2); i++)
        json_array_append_new(list, json_string(t->picture[i]));
    return list;
}

static json_t *trial_json(const collect_study *s, const collect_trial *t)
{
    json_t *one =
        json_pack("{so ss}", "pictures", pictures_json(s, t), "role", roles[t->role]);

    if (t->role == COLLECT_ITEM)
        json_object_update_new(one,
                               json_pack("{sI sI ss}", "subset", (json_int_t)t->subset,
                                         "block", (json_int_t)t->block, "name", t->stem));
    else
        json_object_set_new(one, "right", json_integer(t->right));
    return one;
}

/* All that the hash is taken of; NULL without memory. */
static json_t *study_json(const collect_study *s)
{
    json_t *trials = json_array();

    for (size_t i = 0; i < s->n; i++)
        json_array_append_new(trials, trial_json(s, &s->trials[i]));
    if (json_array_size(trials) != s->n) {
        json_decref(trials);
        return NULL;
    }
    return json_pack("{ss si ss ss sI si si s[ii] s[ii] so sI so}", "format", study_format,
                     "version", STUDY_VERSION, "kind", learn_task_name(s->task), "title",
                     s->title, "seed", (json_int_t)s->seed, "raters", s->raters, "scale",
                     s->scale, "size", s->width, s->height, "timing", COLLECT_SHOW_MS,
                     COLLECT_GAP_MS, "subsets", names_json(s->labels, s->n_subsets), "blocks",
                     (json_int_t)s->n_blocks, "trials", trials);
}

static int hash_of(const json_t *study, char hash[COLLECT_HASH + 1], char why[LEARN_WHY])
{
    char *text = json_dumps(study, JSON_COMPACT | JSON_SORT_KEYS);
    int status = text ? collect_hash(hash, COLLECT_HASH, text, strlen(text), why)
                      : learn_no_memory(why);

    free(text);
    return status;
}

int collect_study_seal(collect_study *s, char why[LEARN_WHY])
{
    json_t *study = study_json(s);
    int status = study ? hash_of(study, s->hash, why) : learn_no_memory(why);

    json_decref(study);
    return status;
}

int collect_study_write(const collect_study *s, const char *dir, char why[LEARN_WHY])
{
    json_t *study = study_json(s);
    report_file out;
    int status = study ? 0 : learn_no_memory(why);

    if (!status) {
        json_object_set_new(study, "study", json_string(s->hash));
        json_object_set_new(study, "folders", names_json(s->folders, s->n_subsets));
        status = report_file_open(&out, dir, "study.json", why);
    }
    if (!status) {
        if (json_dumpf(study, out.f, JSON_INDENT(1) | JSON_SORT_KEYS))
            status = learn_fail(why, "%s/study.json: cannot be written", dir);
        status = report_file_close(&out, status, why);
    }
    json_decref(study);
    return status;
}

/* ---- reading ------------------------------------------------------------------------ */

static int is_picture_name(const char *name)
{
    return strlen(name) == COLLECT_PICTURE &&
           strspn(name, "0123456789abcdef") == COLLECT_PICTURE;
}

static int read_pictures(const collect_study *s, collect_trial *t, const json_t *list)
{
    const size_t n = s->task == LEARN_2AFC ? 3 : 2;

    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (!name || !is_picture_name(name))
            return -1;
        memcpy(t->picture[i], name, COLLECT_PICTURE + 1);
    }
    return json_array_size(list) == n ? 0 : -1;
}

static int read_trial(const collect_study *s, collect_trial *t, json_t *from)
{
    const json_t *pictures;
    const char *role, *stem = NULL;
    json_int_t subset = 0, block = 0;

    if (json_unpack(from, "{so ss s?I s?I s?s s?i}", "pictures", &pictures, "role", &role,
                    "subset", &subset, "block", &block, "name", &stem, "right", &t->right) ||
        read_pictures(s, t, pictures))
        return -1;
    while (strcmp(role, roles[t->role]))
        if (++t->role > COLLECT_PRACTICE)
            return -1;
    t->subset = (size_t)subset;
    t->block = (size_t)block;
    if (subset < 0 || t->subset >= s->n_subsets || block < 0 || t->block >= s->n_blocks ||
        (t->right != 0 && t->right != 1))
        return -1;
    if (t->role != COLLECT_ITEM)
        return 0;
    /* A name becomes a file's when judgements are written. */
    if (!stem || !*stem || strchr(stem, '/'))
        return -1;
    return (t->stem = strdup(stem)) ? 0 : -1;
}

static int read_names(char ***out, size_t n, const json_t *list)
{
    *out = calloc(n, sizeof **out);
    for (size_t i = 0; *out && i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (!name || !((*out)[i] = strdup(name)))
            return -1;
    }
    return *out && json_array_size(list) == n ? 0 : -1;
}

static int read_parts(collect_study *s, json_t *from)
{
    json_t *subsets, *folders, *trials;
    const char *format, *kind, *title;
    json_int_t seed, blocks;
    int version;

    if (json_unpack(from, "{ss si ss ss sI si si s[ii] so sI so so}", "format", &format,
                    "version", &version, "kind", &kind, "title", &title, "seed", &seed,
                    "raters", &s->raters, "scale", &s->scale, "size", &s->width, &s->height,
                    "subsets", &subsets, "blocks", &blocks, "trials", &trials, "folders",
                    &folders) ||
        strcmp(format, study_format) || version != STUDY_VERSION || blocks < 1 ||
        blocks > TRIALS_MAX || json_array_size(subsets) > SUBSETS_MAX ||
        json_array_size(trials) > TRIALS_MAX || !json_array_size(trials))
        return -1;
    s->task = strcmp(kind, learn_task_name(LEARN_JND)) ? LEARN_2AFC : LEARN_JND;
    s->seed = (uint64_t)seed;
    s->n_blocks = (size_t)blocks;
    s->n_subsets = json_array_size(subsets);
    if (!(s->title = strdup(title)) || read_names(&s->labels, s->n_subsets, subsets) ||
        read_names(&s->folders, s->n_subsets, folders) ||
        !(s->trials = calloc(json_array_size(trials), sizeof *s->trials)))
        return -1;
    for (s->n = 0; s->n < json_array_size(trials); s->n++)
        if (read_trial(s, &s->trials[s->n], json_array_get(trials, s->n)))
            return -1;
    return 0;
}

int collect_study_read(collect_study *out, const char *dir, char why[LEARN_WHY])
{
    char path[4096], said[COLLECT_HASH + 1] = "";
    json_error_t error;
    json_t *study;
    const char *hash;
    int status = -1;

    *out = (collect_study){0};
    if ((size_t)snprintf(path, sizeof path, "%s/study.json", dir) >= sizeof path)
        return learn_fail(why, "%s: too long a name", dir);
    study = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!study)
        return learn_fail(why,
                          "%s is no study that can be read (line %d: %s); `lpips-learn "
                          "collect make` makes one",
                          path, error.line, error.text);
    hash = json_string_value(json_object_get(study, "study"));
    if (!hash || strlen(hash) != COLLECT_HASH || read_parts(out, study)) {
        learn_fail(why, "%s is no study of this version of lpips-learn, or was changed",
                   path);
        goto fail;
    }
    memcpy(said, hash, sizeof said);
    json_object_del(study, "study");
    json_object_del(study, "folders");
    if (hash_of(study, out->hash, why))
        goto fail;
    if (strcmp(said, out->hash)) {
        learn_fail(why, "%s was changed after it was made: answers to it would mean nothing",
                   path);
        goto fail;
    }
    status = 0;
fail:
    json_decref(study);
    if (status)
        collect_study_free(out);
    return status;
}

/* ---- the page ----------------------------------------------------------------------- */

/* What the page must know, and no more: no names, no sentinels' answers. */
static json_t *page_data(const collect_study *s, json_t *session)
{
    json_t *trials = json_array(), *blocks = json_array(), *sentinels = json_array(),
           *practice = json_array();

    for (size_t i = 0; i < s->n_blocks; i++)
        json_array_append_new(blocks, json_array());
    for (size_t i = 0; i < s->n; i++) {
        const collect_trial *t = &s->trials[i];
        json_t *number = json_integer((json_int_t)i);

        json_array_append_new(trials, pictures_json(s, t));
        if (t->role == COLLECT_ITEM)
            json_array_append_new(json_array_get(blocks, t->block), number);
        else if (t->role == COLLECT_SENTINEL)
            json_array_append_new(sentinels, number);
        else
            json_array_append_new(practice,
                                  json_pack("{so si}", "trial", number, "right", t->right));
    }
    return json_pack("{si ss ss ss ss s[ii] si s[ii] so so so so so?}", "version",
                     STUDY_VERSION, "study", s->hash, "title", s->title, "kind",
                     learn_task_name(s->task), "pictures", "p/", "size", s->width, s->height,
                     "scale", s->scale, "timing", COLLECT_SHOW_MS, COLLECT_GAP_MS, "trials",
                     trials, "blocks", blocks, "sentinels", sentinels, "practice", practice,
                     "session", session);
}

int collect_study_page(const collect_study *s, json_t *session, FILE *f, char why[LEARN_WHY])
{
    json_t *data = page_data(s, session);
    int status = data ? report_fill_page(f, collect_shell, collect_shell_end, data) : -1;

    json_decref(data);
    return status ? learn_fail(why, "the page cannot be written") : 0;
}

char *collect_page_policy(void)
{
    static const char before[] = "\"Content-Security-Policy\" content=\"";
    const char *at = memmem(collect_shell, (size_t)(collect_shell_end - collect_shell),
                            before, sizeof before - 1) +
                     sizeof before - 1;

    return strndup(at, strcspn(at, "\""));
}
