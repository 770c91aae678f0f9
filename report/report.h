/*
 * report.h - `lpips report`: many clips by many methods or encodes, scored and compared.
 *
 *     manifest.c            what is to be scored, from a file
 *     layout.c clips.c      the same by a data set's folders (data_set.h)
 *     store.c               the SQLite file: jobs, scores, what was said of failures
 *     frames.c              an item's frames: reference and output side by side (frames.h)
 *     run.c                 scores what the store still lacks
 *     shard.c folder.c      one store cut in many and put together again
 *     summary.c means.c     means, intervals, significance, BD-rate, from a store, by
 *                           stats.c and bd.c
 *     page.c tables.c ...   what people read (output.h): HTML, CSV, JSON, Markdown, LaTeX
 *
 * The store is the contract between what scores and what tells: SCHEMA below.
 */
#ifndef REPORT_H
#define REPORT_H

#include <sqlite3.h>

/*
 * about    one row a fact: kind ("interpolation" or "codec"), title, manifest (its text),
 *          colour_rule, tool ("lpips 1.1.0 ..."), and lpips.NET for every net: what
 *          lpips_describe() says, with the whole hash.
 * metric   what is measured.  name is "lpips_alex", "tlpips_alex", "psnr", "ssim"; text is
 *          what people call it; lower is 1 where lower is better.  pooled says what the value
 *          of an item is: "mean" of its frames.
 * item     one method (or codec) on one clip: one output beside one reference.  rate is in
 *          kbit/s, quality the encoder's own setting (a label); NULL without.  Method, clip,
 *          subset and quality name an item; a rate does where there is no quality.  subset is
 * the data set's own ("easy", "4K" ...), '' without.  every: score only frames whose number
 * from 0 is no multiple of it, 0: all.  state: 0 to do, 1 done, 2 failed; error says why.
 * Paths are as in the manifest, made absolute. A triplet's reference is the true middle
 * picture; first and last are its neighbours, for methods that are made here, '' without; the
 * output of those is "baseline:blend" or "baseline:repeat" and no path. score    value of a
 * metric for a frame, numbered from 0 in the output.  For tlpips_NET the frame is the second
 * of the two.  PSNR of equal frames is stored as 'inf' is not a number: NULL.
 */
#define REPORT_SCHEMA                                                                       \
    "CREATE TABLE about(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"          \
    "CREATE TABLE metric(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"                \
    "  text TEXT NOT NULL, lower INTEGER NOT NULL, pooled TEXT NOT NULL);"                  \
    "CREATE TABLE item(id INTEGER PRIMARY KEY, method TEXT NOT NULL, clip TEXT NOT NULL,"   \
    "  subset TEXT NOT NULL DEFAULT '', reference TEXT NOT NULL, output TEXT NOT NULL,"     \
    "  first TEXT NOT NULL DEFAULT '', last TEXT NOT NULL DEFAULT '',"                      \
    "  every INTEGER NOT NULL DEFAULT 0, rate REAL, quality TEXT,"                          \
    "  state INTEGER NOT NULL DEFAULT 0, error TEXT, frames INTEGER, seconds REAL);"        \
    "CREATE UNIQUE INDEX item_name ON item(method, clip, subset, quality IS NULL,"          \
    "  coalesce(quality, ''), iif(quality IS NULL, coalesce(rate, -1), -1));"               \
    "CREATE TABLE score(item INTEGER NOT NULL REFERENCES item(id), metric INTEGER NOT NULL" \
    "  REFERENCES metric(id), frame INTEGER NOT NULL, value REAL,"                          \
    "  PRIMARY KEY(item, metric, frame)) WITHOUT ROWID;"                                    \
    "PRAGMA user_version = 1;"

#define REPORT_WHY 512

/* Everything that people read, from a store, into the folder `out`, which is made where its
 * parent exists: index.html, items.csv, frames.csv, summary.csv, pairs.csv, bdrate.csv,
 * report.json, tables.md, tables.tex.  The same store gives the same bytes. */
int report_write(sqlite3 *store, const char *out, char why[REPORT_WHY]);

#endif
