/*
 * dialog.h - the dialog, in what GTK 2 and GTK 3 have in common
 */
#ifndef LPIPS_PLUGIN_DIALOG_H
#define LPIPS_PLUGIN_DIALOG_H

#include "host.h"

/*
 * Lets the user choose; host->a and b, and settings, begin and end as what is chosen.  TRUE:
 * pair and answer are those of the choice, computed.  FALSE: the user said no.
 */
gboolean lpips_dialog_run(LpipsHost *host, LpipsSettings *settings, LpipsPair *pair,
                          LpipsAnswer *answer);

#endif
