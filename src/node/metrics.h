// The metrics page of a running node: asks the I/O threads for their figures and reads the rest where it is.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/router.h"
#include "node/backups.h"
#include "node/counters.h"
#include "node/io_thread.h"
#include "node/upkeep.h"
#include "service/audit_trail.h"

namespace cc::node {

struct MetricsSources {
  const Settings& settings;
  consensus::Log& log;
  const state::Queries& queries;
  Counters& counters;
  const service::AuditTrail& audit;
  http::TlsContext* tls;            // null: there is none
  const archive::Archive* archive;  // null: there is none
  asio::thread_pool& workers;
  const http::Usage& usage;
  const std::vector<std::unique_ptr<IoThread>>& threads;
  const edge::Edge* edge = nullptr;  // when there is a Redis
  const Backups* backups = nullptr;  // when they are made by the clock
  const Upkeep* upkeep = nullptr;    // when it is done by the clock
};

// The page. Blocks until the I/O threads, which run, have told their part; not on one of them.
std::string metrics_page(const MetricsSources& sources);

// Adds GET <metrics_path>. Its handlers stay on the I/O thread that serves them, and ask the others and a worker.
void add_metrics_route(http::Router& router, const MetricsSources& sources);

}  // namespace cc::node
