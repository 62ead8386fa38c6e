// What an NF may call, strategy `shared-nothing`.
#pragma once

#include "maestro/core.h"
#include "maestro/packet.h"
#include "maestro/rss.h"
