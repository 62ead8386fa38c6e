// The longest prefix match table, under the name that some NFs include.
#include "lpm.h"
