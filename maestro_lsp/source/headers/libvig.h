// All of libVig, for headers that a user's tree includes from a libVig folder and does not hold.
#pragma once
#include <libvig/verified/boilerplate-util.h>
#include <libvig/verified/cht.h>
#include <libvig/verified/cms.h>
#include <libvig/verified/double-chain.h>
#include <libvig/verified/double-map.h>
#include <libvig/verified/ether.h>
#include <libvig/verified/expirator.h>
#include <libvig/verified/hash.h>
#include <libvig/verified/lpm.h>
#include <libvig/verified/map.h>
#include <libvig/verified/packet-io.h>
#include <libvig/verified/sketch.h>
#include <libvig/verified/tcpudp_hdr.h>
#include <libvig/verified/token-bucket.h>
#include <libvig/verified/vector.h>
#include <libvig/verified/vigor-time.h>
