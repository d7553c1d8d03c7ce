// How much history nodes keep themselves. A leader's job: what is kept is part of the state, and so is decided in the
// log.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "archive/archive.h"
#include "base/clock.h"
#include "consensus/log.h"
#include "state/queries.h"

namespace cc::node {

struct Retention {
  consensus::Log& log;
  const state::Queries& queries;
  const archive::Archive* archive;  // null: there is none
  const Clock& clock;
  std::uint64_t releases;           // of each config
  std::chrono::milliseconds audit;  // how long
  std::chrono::milliseconds every{2'000};
};

// Now and then, until it is asked to stop: tells all nodes how far the archive is, and has them forget what is too old
// and what the archive had when that was told the time before.
void forget_history(const Retention& retention, const std::stop_token& stop);

}  // namespace cc::node
