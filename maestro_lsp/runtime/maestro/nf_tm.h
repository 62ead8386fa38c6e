// What an NF may call, strategy `tm`.
#pragma once

#include "maestro/core.h"
#include "maestro/packet.h"
#include "maestro/rss.h"
#include "maestro/transactions.h"
