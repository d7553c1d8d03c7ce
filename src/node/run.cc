#include "node/run.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <malloc.h>
#include <sched.h>

#include "base/log.h"
#include "node/first_start.h"
#include "node/node.h"
#include "node/notify.h"
#include "node/peers.h"

namespace cc::node {
namespace {

const Logger kLog{"node"};

// How many files this process may have open, after that was raised as far as it goes.
std::uint64_t raised_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit raised = limit;
  raised.rlim_cur = raised.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

// Connections must leave the log and the state the files that they open while the node runs: without them changes would
// fail for everybody, for want of a descriptor that somebody idle holds.
void leave_files_for_changes(Settings& settings) {
  constexpr std::uint64_t kReserved = 256;
  const std::uint64_t files = raised_file_limit();
  const std::uint64_t most = files - std::min(kReserved, files / 2);
  std::uint64_t& connections = settings.server.max_connections;
  if (files == 0 || connections <= most) return;
  const Logger::Fields fields = {{"connections", most}, {"max_connections", connections}, {"open_files", files}};
  constexpr std::string_view kSentence = "the limit of open files allows fewer connections than server.max_connections";
  // Nobody asked for the default.
  if (settings.origin.at("server.max_connections") == "default") {
    kLog.info(kSentence, fields);
  } else {
    kLog.warn(kSentence, fields);
  }
  connections = most;
}

void log_what_libraries_say() {
  google::protobuf::SetLogHandler([](google::protobuf::LogLevel, const char*, int, const std::string& message) {
    kLog.error("Protocol Buffers", {{"message", message}});
  });
}

void set_logging(const Settings& settings) {
  if (const auto level = parse_log_level(settings.log.level)) set_log_level(*level);
  set_log_style(settings.log.format == "json"   ? LogStyle::json
                : settings.log.format == "text" ? LogStyle::text
                                                : LogStyle::automatic);
}

// Two of four nodes are no majority, so the fourth is of no help.
void warn_of_even_group(const Settings& settings) {
  const auto peers = parse_peers(settings.raft.peers, settings.raft.node_id);
  if (!peers || peers->empty() || peers->size() % 2 != 0) return;
  kLog.warn(
      "a group of an even number of nodes survives no more failures than with one node less; 3, 5 or 7 are better",
      {{"nodes", peers->size()}});
}

bool is_known_variable(std::string_view name) {
  // Of the first start, and of clients.
  constexpr std::array<std::string_view, 6> kOthers = {"CONFIG_CENTER_ADMIN_PASSWORD", "CONFIG_CENTER_SERVER",
                                                       "CONFIG_CENTER_TOKEN",          "CONFIG_CENTER_CA_FILE",
                                                       "CONFIG_CENTER_CERT_FILE",      "CONFIG_CENTER_KEY_FILE"};
  return std::ranges::find(kOthers, name) != kOthers.end() ||
         std::ranges::any_of(all_settings(), [&](const Setting& setting) {
           return std::ranges::any_of(setting.environment_variables(), [&](const std::string& variable) {
             return name == variable || (setting.secret && name == variable + "_FILE");
           });
         });
}

// A mistyped setting must not be lost in silence; but it may be somebody else's variable, and is no reason to stop.
void warn_of_unknown_variables() {
  for (char** at = environ; *at != nullptr; ++at) {
    std::string_view name(*at);
    name = name.substr(0, name.find('='));
    if (!name.starts_with("CONFIG_CENTER_") || is_known_variable(name)) continue;
    kLog.warn("an environment variable is named like a setting, and there is no such setting", {{"variable", name}});
  }
}

// For the person who started the first node by hand; nothing of it goes to the log. The password is shown until it
// once could be.
void greet(const Node& node, const Settings& settings) {
  const std::string scheme = settings.server.tls_certificate_file.empty() ? "http" : "https";
  const std::string& host = settings.server.host;
  const bool everywhere = host == "0.0.0.0" || host == "::";
  const bool bare_ipv6 = host.find(':') != std::string::npos;
  const std::string url = fmt::format("{}://{}:{}", scheme,
                                      everywhere  ? "127.0.0.1"
                                      : bare_ipv6 ? "[" + host + "]"
                                                  : host,
                                      node.port());
  const auto password = password_to_show(settings.data_dir);
  std::string text;
  if (password) {
    text = fmt::format(
        "config-center {} serves {}\n\n"
        "  administrator   admin\n"
        "  password        {}   (shown once; kept in {})\n\n"
        "  log in with     config-center --server {} login --username admin\n\n",
        CC_VERSION, url, *password, (settings.data_dir / "admin-password").string(), url);
  } else if (::isatty(STDOUT_FILENO) == 1) {
    text = fmt::format("config-center {} serves {}\n", CC_VERSION, url);
  }
  const bool shown = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (password && shown) password_was_shown(settings.data_dir);
}

void reload(Node& node, const SettingSources& sources) {
  auto settings = load_settings(sources);
  if (!settings) {
    kLog.error("settings were not read again", {{"reason", settings.error()}});
    return;
  }
  set_logging(*settings);
  if (auto done = node.reload_tls(); !done)
    kLog.error("TLS files were not read again; the old ones stay", {{"reason", done.error()}});
  kLog.warn("read log level and TLS files again", {{"level", settings->log.level}});
}

// What the main thread does while a node runs: listens to the system's signals and to what the node tells.
class Attendant {
 public:
  Attendant(const Settings& settings, const SettingSources& sources, const Clock& clock)
      : settings_(settings), sources_(sources), clock_(clock) {}

  Result<> run(DataFolder folder);

 private:
  void await_signal();
  void leave();
  void serving(Revision revision);
  void tell_who_is_missing();

  const Settings& settings_;
  const SettingSources& sources_;
  const Clock& clock_;
  const Mono began_ = clock_.now();
  boost::asio::io_context io_{1};
  // Before any thread is started, so that all of them leave these signals to us.
  boost::asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
  boost::asio::steady_timer waiting_{io_}, draining_{io_};
  std::unique_ptr<Node> node_;
  bool waited_ = false;   // for other nodes
  bool leaving_ = false;  // a signal has said so
  Result<> outcome_;
};

Result<> Attendant::run(DataFolder folder) {
  const auto here = [this](auto what) { boost::asio::post(io_, std::move(what)); };
  TRY(node_, Node::start(settings_, std::move(folder), clock_,
                         {.serving = [=, this](Revision revision) { here([this, revision] { serving(revision); }); },
                          .failed =
                              [=, this](const Error& why) {
                                here([this, why] {
                                  if (outcome_ && !leaving_) outcome_ = fail(why);
                                  io_.stop();
                                });
                              }}));
  await_signal();
  if (node_->cluster_id().empty()) tell_who_is_missing();
  io_.run();
  std::signal(SIGINT, SIG_DFL);
  node_->stop();
  node_.reset();
  return outcome_;
}

void Attendant::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload(*node_, sources_);
      return await_signal();
    }
    if (std::exchange(leaving_, true)) return io_.stop();  // somebody is in a hurry
    kLog.info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
    notify_supervisor("STOPPING=1");
    await_signal();
    leave();
  });
}

void Attendant::leave() {
  if (node_->cluster_id().empty()) return io_.stop();  // it serves nobody
  node_->hand_over([this] {
    boost::asio::post(io_, [this] {
      const auto drain = node_->leave();
      if (drain.count() == 0) return io_.stop();
      kLog.info("serving on until load balancers have noticed", {{"drain_ms", drain.count()}});
      draining_.expires_after(drain);
      draining_.async_wait([this](const boost::system::error_code& error) {
        if (!error) io_.stop();
      });
    });
  });
}

void Attendant::serving(Revision revision) {
  waiting_.cancel();
  if (leaving_) return;
  forget_other_password(settings_.data_dir, node_->cluster_id());
  if (waited_ && !password_to_show(settings_.data_dir)) {
    kLog.info(
        "the cluster was made by its leader, which has the password of its administrator: as it was given by "
        "CONFIG_CENTER_ADMIN_PASSWORD there, or in admin-password in its data folder",
        {{"leader", node_->leader()}});
  }
  notify_supervisor("READY=1");
  greet(*node_, settings_);
  kLog.info("serving",
            {{"version", CC_VERSION},
             {"address", fmt::format("{}:{}", settings_.server.host, node_->port())},
             {"metrics_port", node_->metrics_port()},
             {"data_dir", settings_.data_dir.string()},
             {"cluster_id", node_->cluster_id()},
             {"revision", revision},
             {"io_threads", settings_.server.workers},
             {"took_ms", std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - began_).count()}});
}

void Attendant::tell_who_is_missing() {
  constexpr std::chrono::seconds kOften{10};
  if (settings_.raft.join || !settings_.raft.peers.empty()) {
    waited_ = true;
    kLog.info("listening, and not serving yet",
              {{"waits_for", node_->waits_for()},
               {"address", fmt::format("{}:{}", settings_.server.host, node_->port())},
               {"metrics_port", node_->metrics_port()}});
  }
  waiting_.expires_after(kOften);
  waiting_.async_wait([this](const boost::system::error_code& error) {
    if (!error && node_->cluster_id().empty()) tell_who_is_missing();
  });
}

// A thread that is woken does not take the processor from the one that woke it: the log thread ends its batch before
// those that it has told begin with theirs, and meanwhile more comes for each of them. On two busy cores that is an
// eighth more publishes, and nobody waits longer. Needs no privilege; threads that are begun later inherit it.
void let_threads_finish() {
  constexpr sched_param kNoPriority{};
  if (::sched_setscheduler(0, SCHED_BATCH, &kNoPriority) != 0)
    kLog.debug("threads are scheduled as is usual: SCHED_BATCH is not allowed here");
}

}  // namespace

int run_server(const SettingSources& sources) {
  // glibc gives each thread an arena of its own that seldom shrinks; two are enough for us.
  ::mallopt(M_ARENA_MAX, 2);
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(0077);  // what the node keeps is nobody else's
  log_what_libraries_say();
  const auto refuse = [](const Error& error) {
    if (log_is_json() && kLog.enabled(LogLevel::error)) {
      kLog.error("cannot serve", {{"reason", error}});
    } else {
      fmt::print(stderr, "config-center serve: {}\n", error.message);
    }
    return error.code == Code::invalid_argument ? 2 : 1;
  };
  auto settings = load_settings(sources);
  if (!settings) return refuse(settings.error());
  set_logging(*settings);
  if (auto fine = check_settings(*settings); !fine) return refuse(fine.error());
  let_threads_finish();
  // Before anything is read or written in it. A process that was killed a moment ago may not be gone yet.
  constexpr std::chrono::seconds kPatience{3};
  auto folder = DataFolder::open(settings->data_dir, kPatience);
  if (!folder) return refuse(folder.error());
  if (auto complete = complete_secrets(*settings); !complete) return refuse(complete.error());
  leave_files_for_changes(*settings);
  warn_of_even_group(*settings);
  warn_of_unknown_variables();

  const SystemClock clock;
  if (auto ended = Attendant(*settings, sources, clock).run(*std::move(folder)); !ended) return refuse(ended.error());
  kLog.info("stopped");
  return 0;
}

}  // namespace cc::node
