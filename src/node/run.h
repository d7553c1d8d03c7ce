// `config-center serve`: a node in this process until a signal ends it.
#pragma once

#include "node/settings.h"

namespace cc::node {

// SIGTERM and SIGINT stop it cleanly: it hands leadership over, waits for server.drain (a second signal ends that
// wait), and lets requests finish (SIGINT ends the process then). SIGHUP reads log level and TLS files again. Returns
// the exit status: 0 stopped, 1 failed, 2 wrong settings.
int run_server(const SettingSources& sources);

}  // namespace cc::node
