/*
 * say.c - messages, signals and progress.
 *
 * Names of files are other people's: what could steer a terminal is written as \n, \t, \x1b.
 */
#include "compare.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libavutil/log.h>

enum { TEXT = 2048, TEXTS = 4 };

static struct {
    bool quiet, verbose, terminal, shown;
    double began, last;
    pthread_mutex_t lock;
    volatile sig_atomic_t signal;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- text ------------------------------------------------------------------- */

static size_t put_plain(char *to, size_t room, unsigned char c)
{
    static const char letters[] = "\n\t\r", names[] = "ntr";
    const char *letter = c ? strchr(letters, c) : NULL;

    if (letter)
        return (size_t)snprintf(to, room, "\\%c", names[letter - letters]);
    if (c < 32 || c == 127)
        return (size_t)snprintf(to, room, "\\x%02x", c);
    if (c == '\\')
        return (size_t)snprintf(to, room, "\\\\");
    to[0] = (char)c;
    return 1;
}

const char *cli_plain(const char *text)
{
    static _Thread_local char texts[TEXTS][TEXT];
    static _Thread_local unsigned next;
    char *to = texts[next++ % TEXTS];
    size_t n = 0;

    for (; *text && n + 8 < TEXT; text++)
        n += put_plain(to + n, TEXT - n, (unsigned char)*text);
    to[n] = 0;
    return to;
}

/* ---- progress ---------------------------------------------------------------- */

double cli_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void clear(void)
{
    if (state.shown)
        fputs("\r\033[K", stderr);
    state.shown = false;
}

void cli_progress_clear(void)
{
    pthread_mutex_lock(&state.lock);
    clear();
    pthread_mutex_unlock(&state.lock);
}

static void show(int64_t done, int64_t total, const char *what, double seconds)
{
    const double part = total > 0 ? (double)done / (double)total : 0;
    const int left = part > 0 ? (int)(seconds / part - seconds + 0.5) : 0;
    char bar[31];

    for (int i = 0; i < 30; i++)
        bar[i] = i < (int)(30 * part) ? '=' : ' ';
    bar[30] = 0;
    clear();
    if (state.terminal && total > 0)
        fprintf(stderr, "[%s] ", bar);
    else if (!state.terminal)
        fputs("lpips: ", stderr);
    fprintf(stderr, "%lld", (long long)done);
    if (total > 0)
        fprintf(stderr, " of %lld", (long long)total);
    fprintf(stderr, " %s, %.1f a second", what, (double)done / seconds);
    if (total > 0)
        fprintf(stderr, ", %d:%02d:%02d left", left / 3600, left / 60 % 60, left % 60);
    if (!state.terminal)
        fputc('\n', stderr);
    state.shown = state.terminal;
    fflush(stderr);
}

/* A bar on a terminal, now and then a line elsewhere. */
void cli_progress(int64_t done, int64_t total, const char *what)
{
    const double time = cli_seconds();

    pthread_mutex_lock(&state.lock);
    if (!state.quiet && done > 0 && time - state.last >= (state.terminal ? 0.2 : 15)) {
        state.last = time;
        show(done, total, what, time - state.began);
    }
    pthread_mutex_unlock(&state.lock);
}

/* ---- messages ---------------------------------------------------------------- */

static void say(const char *text)
{
    pthread_mutex_lock(&state.lock);
    clear();
    fprintf(stderr, "lpips: %s\n", text);
    pthread_mutex_unlock(&state.lock);
}

void cli_warn(const char *format, ...)
{
    char text[TEXT];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say(cli_plain(text));
}

/* media/ warns of what changes numbers.  Its errors are returned as well, and FFmpeg's own
 * messages are for those who look for a fault. */
static void on_log(void *object, int level, const char *format, va_list arguments)
{
    const bool ours = object && *(const AVClass *const *)object == media_log;
    char text[TEXT];
    size_t n;

    if (!(ours && level == AV_LOG_WARNING && !state.quiet) &&
        !(state.verbose && level <= AV_LOG_INFO))
        return;
    vsnprintf(text, sizeof text, format, arguments);
    n = strlen(text);
    while (n && text[n - 1] == '\n')
        text[--n] = 0;
    if (n)
        say(cli_plain(text));
}

/* ---- signals ------------------------------------------------------------------ */

static void on_signal(int number)
{
    state.signal = number;
}

int cli_stopped(void)
{
    return state.signal;
}

void cli_wait(pthread_cond_t *condition, pthread_mutex_t *lock)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(condition, lock, &until);
}

void cli_say_start(const cli_options *o)
{
    /* The second one kills. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    state.quiet = o->quiet;
    state.verbose = o->verbose;
    state.terminal = isatty(STDERR_FILENO);
    state.began = state.last = cli_seconds();
    av_log_set_callback(on_log);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}
