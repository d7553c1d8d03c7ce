#include "node/rehearsal.h"

#include <condition_variable>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "backup/scratch.h"
#include "base/bytes.h"
#include "base/log.h"
#include "http/client.h"
#include "node/node.h"
#include "node/restore.h"

namespace cc::node {
namespace {

const Logger kLog{"backup"};

constexpr std::chrono::minutes kPatience{5};

// Those of a node that knows nobody.
Result<Settings> settings_of_scratch(const Settings& settings, const Path& folder) {
  Settings out = settings;
  TRY(out.security.encryption_key, sealing_key(settings));
  if (out.security.jwt_secret.empty()) out.security.jwt_secret = to_base64url(random_bytes(48));
  out.data_dir = folder;
  out.temp_dir = folder / "tmp";
  out.server.host = "127.0.0.1";
  out.server.port = 0;
  out.server.workers = 1;
  out.server.tls_certificate_file = out.server.tls_key_file = out.server.tls_client_ca_file = "";
  out.raft.peers = out.raft.secret = out.raft.listen = "";
  out.raft.tls_certificate_file = out.raft.tls_key_file = out.raft.tls_ca_file = "";
  out.raft.join = false;
  out.database.host = out.cache.host = out.cache.sentinels = "";
  out.monitoring.enabled = out.backup.enabled = false;
  return out;
}

// What a node tells of its start.
class Started {
 public:
  Node::Events events() {
    return {.serving = [this](Revision revision) { tell(revision); },
            .failed = [this](const Error& error) { tell(fail(error)); }};
  }
  Result<Revision> wait() {
    std::unique_lock lock(mutex_);
    if (told_.wait_for(lock, kPatience, [&] { return outcome_.has_value(); })) return *outcome_;
    return fail(Code::timeout, fmt::format("it does not serve after {} minutes", kPatience.count()));
  }

 private:
  void tell(Result<Revision> outcome) {
    const std::lock_guard lock(mutex_);
    if (!outcome_) outcome_ = std::move(outcome);
    told_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable told_;
  std::optional<Result<Revision>> outcome_;  // guarded by mutex_
};

Result<> must_answer(std::uint16_t port) {
  TRY(http::Client client, http::Client::make({.url = fmt::format("http://127.0.0.1:{}", port)}));
  TRY(const http::ClientResponse answer, client.send({.target = "/readyz"}));
  if (answer.status == 200) return {};
  return fail(Code::unavailable, fmt::format("it answers {}: {}", answer.status, answer.body));
}

Result<> start_on(const Settings& settings, const backup::Manifest& manifest, const Clock& clock) {
  Started started;
  TRY(DataFolder folder, DataFolder::open(settings.data_dir));
  TRY(const auto node, Node::start(settings, std::move(folder), clock, started.events()));
  TRY(const Revision revision, started.wait());
  if (revision < manifest.contents.position.revision)
    return fail(Code::corruption, fmt::format("it is at revision {}", revision));
  TRYV(must_answer(node->port()));
  node->stop();
  return {};
}

}  // namespace

Result<VerifiedBackup> rehearse(const Settings& settings, const backup::File& backup, const Path& scratch,
                                const Clock& clock, const backup::Progress& progress) {
  TRY(const std::string key, sealing_key(settings));
  TRY(VerifiedBackup verified, verify_backup(backup, key, backup::Level::rows, scratch, clock, progress));
  TRY(const backup::Scratch beside, backup::Scratch::make(scratch));
  TRY(const Settings alone, settings_of_scratch(settings, beside.path() / "node"));
  kLog.info("restoring a backup into a scratch node, to see it start", {{"file", backup.where()}});
  const auto wrong = [&](Error error) {
    return fail(std::move(error).with_context(fmt::format("a node restored from {}", backup.where())));
  };
  const Restore how{.backup = backup, .seen = state::Restoring::Seen::nothing_newer};
  if (auto restored = restore_data(alone, how, clock, progress); !restored) return wrong(std::move(restored).error());
  if (auto answered = start_on(alone, verified.manifest, clock); !answered) return wrong(std::move(answered).error());
  return verified;
}

}  // namespace cc::node
