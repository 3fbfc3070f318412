/* Inside the kit: what its files share. */
#pragma once
#include "deliver_kit.h"

void kit_posts_reset(void); /* forgets them */
