/*
 * media_support.c - a folder for the tests of media/, and reading a file.
 */
#include "media_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char why[MEDIA_WHY];
char folder[] = "/tmp/lpips-media-XXXXXX";

int make_folder(void **state)
{
    (void)state;
    av_log_set_level(AV_LOG_QUIET);
    return mkdtemp(folder) ? 0 : -1;
}

int remove_folder(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

const char *in_folder(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

AVFrame *read_frame(const char *path)
{
    media_source *source;
    const AVFrame *frame;
    AVFrame *copy;

    why[0] = 0;
    if (media_open(&source, path, 1, why) < 0) {
        assert_null(source);
        return NULL;
    }
    assert_true(media_source_info(source)->still);
    assert_int_equal(media_next(source, &frame, why), 1);
    copy = av_frame_clone(frame);
    assert_int_equal(media_next(source, &frame, why), 0);
    assert_int_equal(media_next(source, &frame, why), 0);
    media_close(source);
    assert_non_null(copy);
    return copy;
}
