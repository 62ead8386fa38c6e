// What an NF may call, strategy `sequential`.
#pragma once

#include "maestro/core.h"
#include "maestro/packet.h"
