// What an NF may call, strategy `locks`.
#pragma once

#include "maestro/core.h"
#include "maestro/packet.h"
#include "maestro/rss.h"
#include "maestro/sections.h"
