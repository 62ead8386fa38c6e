// The program's own options: nf EAL-OPTIONS -- NF-OPTIONS -- OPTIONS
#pragma once

#include "maestro/core.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Ends the program with a sentence that says what is wrong and what to do.
#define maestro_refuse(...) rte_exit(EXIT_FAILURE, __VA_ARGS__)

enum maestro_dispatch {
  MAESTRO_DISPATCH_AUTO,     // rss where the devices can, else software
  MAESTRO_DISPATCH_RSS,      // the devices hash and choose the queue
  MAESTRO_DISPATCH_SOFTWARE, // the main lcore hashes and hands packets over
  MAESTRO_DISPATCH_SPLIT,    // queue i of each device holds what belongs to core i already, as pcap files split by the hash
};

static struct maestro_options {
  unsigned cores;                 // that run the NF; 0: all there are
  enum maestro_dispatch dispatch;
  uint64_t packets;               // a core stops after as many; 0: never
  unsigned seconds;               // stop after; 0: never
  unsigned idle_ms;               // stop when no packet has come for as long; 0: never
  unsigned stats_seconds;         // print counts so often; 0: only at the end
  unsigned balance_seconds;       // balance tables so often; 0: never
} maestro_options;

static const char maestro_usage[] =
  "usage: nf EAL-OPTIONS -- NF-OPTIONS [-- OPTIONS]\n"
  "  --cores N        how many cores run the NF (all that the EAL has)\n"
  "  --dispatch HOW   auto, rss (by the devices), software (by the main lcore), split (queues are split already)\n"
  "  --packets N      each core stops after N packets\n"
  "  --seconds N      stop after N seconds\n"
  "  --idle MS        stop when no packet has come for MS milliseconds\n"
  "  --stats N        print counts every N seconds\n"
  "  --balance N      move idle table entries from busy to idle cores every N seconds\n";

static enum maestro_dispatch maestro_dispatch_named(const char *name) {
  static const char *const names[] = {"auto", "rss", "software", "split"};
  for (unsigned i = 0; i < RTE_DIM(names); ++i) {
    if (strcmp(name, names[i]) == 0) {
      return (enum maestro_dispatch)i;
    }
  }
  maestro_refuse("--dispatch %s: give auto, rss, software or split\n%s", name, maestro_usage);
}

static void maestro_option(const char *name, const char *value) {
  if (strcmp(name, "--dispatch") == 0) {
    maestro_options.dispatch = maestro_dispatch_named(value);
    return;
  }
  char *end;
  errno = 0;
  unsigned long long number = strtoull(value, &end, 10);
  if (end == value || *end != '\0' || errno != 0 || value[0] == '-') {
    maestro_refuse("%s %s: not a number\n%s", name, value, maestro_usage);
  }
  if (strcmp(name, "--packets") == 0) {
    maestro_options.packets = number;
    return;
  }
  unsigned *const places[] = {&maestro_options.cores, &maestro_options.seconds, &maestro_options.idle_ms,
                              &maestro_options.stats_seconds, &maestro_options.balance_seconds};
  static const char *const names[] = {"--cores", "--seconds", "--idle", "--stats", "--balance"};
  for (unsigned i = 0; i < RTE_DIM(names); ++i) {
    if (strcmp(name, names[i]) == 0 && number <= 1000000000) {
      *places[i] = (unsigned)number;
      return;
    }
  }
  maestro_refuse("%s %s: no such option, or too large a number\n%s", name, value, maestro_usage);
}

// Reads what follows a second `--` and takes it away. Gives how many arguments are left for the NF.
static int maestro_take_options(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--") != 0) {
      continue;
    }
    for (int at = i + 1; at < argc; at += 2) {
      if (at + 1 == argc) {
        maestro_refuse("%s: a value is missing\n%s", argv[at], maestro_usage);
      }
      maestro_option(argv[at], argv[at + 1]);
    }
    argv[i] = NULL; // as main's argv ends
    return i;
  }
  return argc;
}

static atomic_bool maestro_stop; // set once; cores finish their burst and leave

static void maestro_on_signal(int signal) {
  (void)signal;
  atomic_store_explicit(&maestro_stop, true, memory_order_relaxed);
}

static void maestro_catch_signals(void) {
  struct sigaction action = {.sa_handler = maestro_on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGALRM, &action, NULL);
  alarm(maestro_options.seconds);
}
