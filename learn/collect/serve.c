/*
 * serve.c - lpips-learn collect serve: the page over HTTP, and each answer into the store.
 *
 * Only what lies behind a secret link is there, and only three things:
 *
 *     GET  /TOKEN/             the page, with the rater's number and what is answered already
 *     GET  /TOKEN/p/NAME.png   a picture of the study
 *     POST /TOKEN/answer       one answer, at most BODY_MAX bytes; 200: it is on the disk
 *
 * All else is 404, a token that is none too.  Names are compared, never opened: a path from
 * outside reaches no file.  One thread of libmicrohttpd does all the work, so that nothing
 * here is shared; main waits for a signal.
 */
#include "collect.h"

#include "links.h"
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BODY_MAX = 4096, CONNECTIONS = 512, CONNECTIONS_OF_ONE = 256, IDLE_SECONDS = 20 };
enum { CONNECTION_MEMORY = 32768 };

/* So many at once, and so many a second on and on. */
typedef struct bucket {
    double burst, rate, filled, at;
} bucket;

static const bucket looks = {1000, 100, 1000, 0}, answers = {60, 10, 60, 0},
                    strangers = {100, 20, 100, 0};

typedef struct guest {
    bucket looks, answers;
} guest;

typedef struct server {
    const char *dir;
    const collect_study *study;
    sqlite3 *db;
    const collect_raters *raters; /* those with links have tokens */
    guest *guests;                /* as in raters */
    bucket strangers;
    char *policy;
    const char (*pictures)[COLLECT_PICTURE + 1]; /* sorted */
    size_t n_pictures;
} server;

typedef struct request {
    size_t n;
    bool too_large;
    char body[BODY_MAX];
} request;

static bool allowed(bucket *b)
{
    struct timespec t;
    double now;

    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    if (b->at > 0)
        b->filled += (now - b->at) * b->rate;
    if (b->filled > b->burst)
        b->filled = b->burst;
    b->at = now;
    if (b->filled < 1)
        return false;
    b->filled -= 1;
    return true;
}

/* ---- replies ------------------------------------------------------------------------ */

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status,
                             struct MHD_Response *r, const char *type, const char *policy)
{
    const char *const headers[][2] = {{"Content-Type", type},
                                      {"Content-Security-Policy", policy},
                                      {"X-Content-Type-Options", "nosniff"},
                                      {"X-Frame-Options", "DENY"},
                                      {"Referrer-Policy", "no-referrer"},
                                      {"Cross-Origin-Resource-Policy", "same-origin"},
                                      {"Cross-Origin-Opener-Policy", "same-origin"},
                                      {"Cache-Control", "no-store"}};
    enum MHD_Result sent;

    if (!r)
        return MHD_NO;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(r, headers[i][0], headers[i][1]);
    if (status == MHD_HTTP_TOO_MANY_REQUESTS)
        MHD_add_response_header(r, "Retry-After", "1");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, "Allow", "GET, HEAD, POST");
    sent = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return sent;
}

static const char nothing[] = "default-src 'none'; frame-ancestors 'none'";

static enum MHD_Result say(struct MHD_Connection *c, unsigned status, const char *text)
{
    return reply(c, status,
                 MHD_create_response_from_buffer(strlen(text), (void *)text,
                                                 MHD_RESPMEM_MUST_COPY),
                 "text/plain; charset=utf-8", nothing);
}

/* ---- the three things --------------------------------------------------------------- */

static json_t *session_json(const collect_results *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n; i++)
        json_array_append_new(list, collect_answer_json(&r->answers[i]));
    return json_pack("{si ss so}", "rater", r->rater, "session", r->session, "answers", list);
}

static enum MHD_Result give_page(server *s, struct MHD_Connection *c,
                                 const collect_rater *who)
{
    collect_raters now;
    char why[LEARN_WHY], *text = NULL;
    size_t size = 0;
    FILE *f;
    int status = collect_store_read(s->db, s->study, who->id, &now, why);

    if (!status && (f = open_memstream(&text, &size))) {
        status = now.n == 1
                     ? collect_study_page(s->study, session_json(&now.of[0].results), f, why)
                     : -1;
        status = fclose(f) || status ? -1 : 0;
    }
    collect_raters_free(&now);
    if (status || !text) {
        free(text);
        return say(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "The page cannot be had just now.\n");
    }
    return reply(c, MHD_HTTP_OK,
                 MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE),
                 "text/html; charset=utf-8", s->policy);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static enum MHD_Result give_picture(server *s, struct MHD_Connection *c, const char *file)
{
    char name[COLLECT_PICTURE + 1], path[4096];
    struct stat st;
    int fd;

    if (strlen(file) != COLLECT_PICTURE + 4 || strcmp(file + COLLECT_PICTURE, ".png"))
        return say(c, MHD_HTTP_NOT_FOUND, "There is nothing here.\n");
    memcpy(name, file, COLLECT_PICTURE);
    name[COLLECT_PICTURE] = 0;
    if (!bsearch(name, s->pictures, s->n_pictures, sizeof *s->pictures, by_name))
        return say(c, MHD_HTTP_NOT_FOUND, "There is nothing here.\n");
    snprintf(path, sizeof path, "%s/page/p/%s.png", s->dir, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        if (fd >= 0)
            close(fd);
        return say(c, MHD_HTTP_INTERNAL_SERVER_ERROR,
                   "The picture cannot be had just now.\n");
    }
    return reply(c, MHD_HTTP_OK, MHD_create_response_from_fd((uint64_t)st.st_size, fd),
                 "image/png", nothing);
}

static enum MHD_Result take_answer(server *s, struct MHD_Connection *c,
                                   const collect_rater *who, const request *q)
{
    char why[LEARN_WHY];
    collect_answer a;
    json_error_t error;
    json_t *from = json_loadb(q->body, q->n, JSON_REJECT_DUPLICATES, &error);
    int kept;

    if (!from)
        return say(c, MHD_HTTP_BAD_REQUEST, "An answer is JSON.\n");
    kept = collect_answer_read(s->study, who->results.rater, from, &a, why);
    json_decref(from);
    if (kept)
        return say(c, MHD_HTTP_BAD_REQUEST, why);
    /* Outside of transactions each statement is one, and on the disk when it returns. */
    kept = collect_store_answer(s->db, who->id, &a, why);
    if (kept < 0) {
        fprintf(stderr, "lpips-learn collect serve: %s\n", why);
        return say(c, MHD_HTTP_SERVICE_UNAVAILABLE, "The answer could not be kept.\n");
    }
    if (kept == COLLECT_CONTRADICTION)
        return say(c, MHD_HTTP_CONFLICT, "This trial was answered otherwise before.\n");
    return say(c, MHD_HTTP_OK, "kept\n");
}

/* ---- which -------------------------------------------------------------------------- */

/* The rater behind "/TOKEN/...", in a time that tells nothing of how much of it is right. */
static const collect_rater *who_is(const server *s, const char *url, size_t *index)
{
    const collect_rater *found = NULL;

    if (*url != '/' || strnlen(url + 1, LINK_TOKEN + 1) < LINK_TOKEN)
        return NULL;
    for (size_t i = 0; i < s->raters->n; i++) {
        const collect_rater *r = &s->raters->of[i];

        if (r->token && collect_link_is(r->token, url + 1)) {
            found = r;
            *index = i;
        }
    }
    return found;
}

static enum MHD_Result route(server *s, struct MHD_Connection *c, const char *url,
                             const char *method, const request *q)
{
    const bool post = !strcmp(method, "POST");
    size_t i = 0;
    const collect_rater *who = who_is(s, url, &i);
    const char *rest = who ? url + 1 + LINK_TOKEN : "";

    if (*rest != '/')
        return allowed(&s->strangers) ? say(c, MHD_HTTP_NOT_FOUND, "There is nothing here.\n")
                                      : say(c, MHD_HTTP_TOO_MANY_REQUESTS, "Slower.\n");
    if (!post && strcmp(method, "GET") && strcmp(method, "HEAD"))
        return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and POST are known here.\n");
    if (!allowed(post ? &s->guests[i].answers : &s->guests[i].looks))
        return say(c, MHD_HTTP_TOO_MANY_REQUESTS, "Slower.\n");
    rest++;
    if (post && strcmp(rest, "answer"))
        return say(c, MHD_HTTP_NOT_FOUND, "There is nothing here.\n");
    if (post && q->too_large)
        return say(c, MHD_HTTP_CONTENT_TOO_LARGE, "An answer is shorter.\n");
    if (post)
        return take_answer(s, c, who, q);
    if (!*rest)
        return give_page(s, c, who);
    if (!strncmp(rest, "p/", 2))
        return give_picture(s, c, rest + 2);
    return say(c, MHD_HTTP_NOT_FOUND, "There is nothing here.\n");
}

/* Called for a request's head, then for each part of its body, then for its end. */
static enum MHD_Result on_request(void *opaque, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    request *q = *state;

    (void)version;
    if (!q) {
        *state = q = calloc(1, sizeof *q);
        return q ? MHD_YES : MHD_NO;
    }
    if (!*size)
        return route(opaque, c, url, method, q);
    if (*size > sizeof q->body - q->n)
        q->too_large = true;
    if (!q->too_large) {
        memcpy(q->body + q->n, data, *size);
        q->n += *size;
    }
    *size = 0;
    return MHD_YES;
}

static void on_end(void *opaque, struct MHD_Connection *c, void **state,
                   enum MHD_RequestTerminationCode why)
{
    (void)opaque;
    (void)c;
    (void)why;
    free(*state);
    *state = NULL;
}

/* ---- starting and ending ------------------------------------------------------------ */

static struct MHD_Daemon *start(server *s, const collect_serving *asked, char why[LEARN_WHY])
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *at;
    struct MHD_Daemon *daemon;
    char port[16];
    int said;

    snprintf(port, sizeof port, "%d", asked->port);
    said = getaddrinfo(asked->address, port, &hints, &at);
    if (said) {
        learn_fail(why, "--address %s: %s", asked->address, gai_strerror(said));
        return NULL;
    }
    errno = 0;
    daemon =
        MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD |
                             (at->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0),
                         0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, at->ai_addr,
                         MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
                         MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_OF_ONE,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                         MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!daemon)
        learn_fail(why, "%s, port %d, cannot be listened to: %s", asked->address, asked->port,
                   errno ? strerror(errno) : "is another server there?");
    freeaddrinfo(at);
    return daemon;
}

/* Not sigwait(): OpenBLAS has threads before main() begins, which block no signal. */
static sem_t ended;

static void on_signal(int number)
{
    (void)number;
    sem_post(&ended);
}

static void listen_to_signals(void)
{
    const struct sigaction end = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};

    sem_init(&ended, 0, 0);
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static int run(server *s, const collect_serving *asked, char why[LEARN_WHY])
{
    struct MHD_Daemon *daemon;
    const union MHD_DaemonInfo *info;

    listen_to_signals();
    daemon = start(s, asked, why);
    if (!daemon)
        return -1;
    info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    collect_links_print(asked, s->raters, info ? info->port : (uint16_t)asked->port);
    while (sem_wait(&ended))
        ;
    MHD_stop_daemon(daemon);
    return 0;
}

static int list_pictures(server *s, char why[LEARN_WHY])
{
    const collect_study *study = s->study;
    char(*list)[COLLECT_PICTURE + 1] = calloc(3 * study->n, sizeof *list);

    if (!list)
        return learn_no_memory(why);
    for (size_t i = 0; i < study->n; i++)
        for (int k = 0; k < 3 && *study->trials[i].picture[k]; k++)
            memcpy(list[s->n_pictures++], study->trials[i].picture[k], sizeof *list);
    qsort(list, s->n_pictures, sizeof *list, by_name);
    s->pictures = (const char(*)[COLLECT_PICTURE + 1]) list;
    return 0;
}

static int prepare(server *s, char why[LEARN_WHY])
{
    char *policy = collect_page_policy();

    s->guests = calloc(s->raters->n + 1, sizeof *s->guests);
    if (!policy || !s->guests ||
        asprintf(&s->policy, "%s; frame-ancestors 'none'", policy) < 0) {
        s->policy = NULL;
        free(policy);
        return learn_no_memory(why);
    }
    free(policy);
    for (size_t i = 0; i < s->raters->n; i++)
        s->guests[i] = (guest){looks, answers};
    return list_pictures(s, why);
}

int collect_serve(const collect_serving *asked, char why[LEARN_WHY])
{
    collect_study study;
    collect_raters raters = {0};
    server s = {.dir = asked->dir,
                .study = &study,
                .raters = &raters,
                .strangers = strangers};
    int status = collect_study_read(&study, asked->dir, why);

    if (!status)
        status = collect_store_open(&s.db, asked->dir, &study, COLLECT_CHANGE, why);
    if (!status)
        status = collect_links_make(s.db, &study, asked->raters, why);
    if (!status)
        status = collect_store_read(s.db, &study, 0, &raters, why);
    if (!status)
        status = prepare(&s, why);
    if (!status)
        status = run(&s, asked, why);
    free((void *)s.pictures);
    free(s.policy);
    free(s.guests);
    collect_raters_free(&raters);
    collect_store_close(s.db);
    collect_study_free(&study);
    return status;
}
