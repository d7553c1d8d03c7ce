#include <chrono>
#include <set>
#include <thread>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "cli/address.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/hook.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kLongPoll = 60s;
constexpr milliseconds kFirstPause = 500ms;
constexpr milliseconds kLongestPause = 15s;

struct Options {
  std::vector<std::string> what;
  std::string command, timeout;
  std::optional<std::uint64_t> after;
  bool initial = false, once = false;
};

// A whole key is watched as it is; less than that, or what ends in '/', is every config that starts so.
bool is_prefix(std::string_view text) {
  return text.ends_with('/') || std::ranges::count(text, '/') < 3;
}

Result<json::array> items_of(const Options& options) {
  json::array items;
  for (const std::string& each : options.what) {
    if (is_prefix(each)) {
      TRY(const Where where, parse_where(each));
      if (where.environment.empty()) {
        return wrong_usage("say what to watch: a config key, or its start, such as dev, dev/shop or dev/shop/default/");
      }
      items.push_back({{"prefix", each.ends_with('/') ? each : each + "/"}});
    } else {
      TRY(const ConfigKey key, parse_key(each));
      items.push_back({{"key", key.to_string()}});
    }
  }
  return items;
}

// What is worth trying again: the server is gone, busy, or being replaced.
bool is_passing(const Error& error) {
  return error.code == Code::unavailable || error.code == Code::timeout || error.code == Code::exhausted ||
         error.code == Code::internal;
}

class Watch {
 public:
  Watch(Session& session, const Options& options, json::array items)
      : session_(session), options_(options), items_(std::move(items)) {}

  Result<> run() {
    if (!options_.timeout.empty()) {
      auto timeout = parse_duration(options_.timeout);
      if (!timeout) return wrong_usage(std::move(timeout).error());
      until_ = clock_.now() + *timeout;
    }
    TRYV(start());
    for (bool begins_with_all = options_.initial;;) {
      auto answer = persistently([&] { return wait_once(); });
      if (!answer) return fail(std::move(answer).error());
      bool seen = false;
      for (const json::value& change : answer->at("changes").as_array()) {
        if (begins_with_all && member_text(change, "deleted") == "true") continue;  // not published now
        seen = true;
        TRYV(handle(change));
      }
      begins_with_all = false;
      revision_ = answer->at("revision").to_number<std::uint64_t>();
      if (options_.once && seen) return {};
      if (until_ && clock_.now() >= *until_) {
        if (!options_.once) return {};
        return fail(Code::timeout, fmt::format("nothing changed within {}", options_.timeout));
      }
    }
  }

 private:
  // Where to begin: at a given revision, before everything, or now.
  Result<> start() {
    TRYV(find_environments());
    if (options_.after) revision_ = *options_.after;
    if (options_.after || options_.initial) return {};
    TRY(const json::value health, persistently([&] { return session_.get_json("/healthz"); }));
    revision_ = std::strtoull(member_text(health, "revision").c_str(), nullptr, 10);
    return {};
  }

  // An environment is made by nobody but a person: a name that is none is mistyped, and would be waited for in vain.
  // Who may not look is not kept from watching.
  Result<> find_environments() {
    std::set<std::string> names;
    for (const std::string& each : options_.what)
      names.insert(each.substr(0, each.find('/')));
    for (const std::string& name : names) {
      TRY(const http::ClientResponse answer,
          persistently([&] { return session_.send({.target = "/v1/environments/" + percent_encode(name)}); }));
      if (answer.status == 404) return fail(session_.error_of_answer(answer));
    }
    return {};
  }

  Result<json::value> wait_once() {
    milliseconds wait = kLongPoll;
    if (until_) {
      wait = std::clamp(std::chrono::duration_cast<milliseconds>(*until_ - clock_.now()), milliseconds(0), kLongPoll);
    }
    for (json::value& item : items_)
      item.as_object()["revision"] = revision_;
    return session_.call_json({.method = "POST",
                               .target = "/v1/watch",
                               .headers = {{"Content-Type", "application/json"}},
                               .body = json::serialize(json::value{{"wait", format_duration(wait)}, {"items", items_}}),
                               .wait = wait});
  }

  // Calls again with growing pauses while the failure is a passing one. Nothing is missed meanwhile: the next wait
  // asks for what came after the last revision seen.
  template <class Call>
  std::invoke_result_t<Call&> persistently(Call call) {
    milliseconds pause = kFirstPause;
    for (bool complained = false;; complained = true) {
      auto answer = call();
      if (answer && complained) fmt::print(stderr, "watching again, after revision {}\n", revision_);
      if (answer || !is_passing(answer.error())) return answer;
      if (until_ && clock_.now() >= *until_) return answer;
      // Between half and all of it, so that many watchers do not come back at once.
      const auto share = static_cast<unsigned char>(random_bytes(1).front());
      const milliseconds jittered = pause / 2 + pause / 2 * share / 255;
      const std::string& message = answer.error().message;
      fmt::print(stderr, "{}; trying again in {:.1f}s\n", message.substr(0, message.find('\n')),
                 static_cast<double>(jittered.count()) / 1000);
      std::this_thread::sleep_for(jittered);
      pause = std::min(pause * 2, kLongestPause);
    }
  }

  Result<> handle(const json::value& change) {
    TRYV(print(change));
    return options_.command.empty() ? Result<>() : run_command(change);
  }

  Result<> print(const json::value& change) {
    if (session_.output == Output::json) return write_output(visible_json(json::serialize(change)) + "\n");
    if (session_.output == Output::yaml) return write_output("---\n" + to_yaml(change));
    const bool deleted = member_text(change, "deleted") == "true";
    return write_output(fmt::format("{}  {}  {}  version {}  revision {}\n", format_time(clock_.wall()),
                                    deleted ? "deleted  " : "published", member_text(change, "key"),
                                    member_text(change, "version"), member_text(change, "revision")));
  }

  // The content of exactly this change; when its release is no longer kept, what is published now.
  Result<std::string> content_of(const json::value& change) {
    TRY(const ConfigKey key, parse_key(member_text(change, "key")));
    const std::string path = path_of("/v1/configs", key);
    // Another node than the one that told it may not have it yet.
    const Freshness fresh{.consistency = "", .min_revision = member_text(change, "revision")};
    auto content = persistently([&] {
      return session_.call(
          {.target = with_query(path, with_freshness({{"version", member_text(change, "version")}}, fresh))});
    });
    if (!content && content.error().code == Code::not_found) {
      content = persistently([&] { return session_.call({.target = with_query(path, with_freshness({}, fresh))}); });
    }
    if (!content) return fail(std::move(content).error());
    return std::move(content->body);
  }

  Result<> run_command(const json::value& change) {
    const bool deleted = member_text(change, "deleted") == "true";
    std::map<std::string, std::string> variables = {
        {"CONFIG_CENTER_KEY", member_text(change, "key")},
        {"CONFIG_CENTER_REVISION", member_text(change, "revision")},
        {"CONFIG_CENTER_VERSION", member_text(change, "version")},
        {"CONFIG_CENTER_DELETED", deleted ? "true" : "false"},
        {"CONFIG_CENTER_FILE", ""},
    };
    Result<std::string> content;
    if (!deleted) {
      content = content_of(change);
      if (!content && content.error().code == Code::not_found) {
        fmt::print(stderr, "{} is gone already; its deletion follows\n", member_text(change, "key"));
        return {};
      }
      if (!content) return fail(std::move(content).error());
    }
    // Content is not left behind for others to find, however this ends: signals wait until the folder is gone.
    HeldSignals signals;
    TRY(const TempDirectory folder, TempDirectory::make());
    Path input = "/dev/null";
    if (!deleted) {
      const std::string key = member_text(change, "key");
      input = folder.path() / key.substr(key.rfind('/') + 1);
      TRYV(write_file(input, *content, 0600));
      variables["CONFIG_CENTER_FILE"] = input.string();
    }
    TRY(const int status, run_hook(options_.command, variables, input, signals));
    if (status == 0 || HeldSignals::noted() != 0) return {};
    const std::string message =
        fmt::format("the command ended with status {} for {}", status, member_text(change, "key"));
    if (options_.once) return fail(Code::internal, message);
    fmt::print(stderr, "{}; watching on\n", message);
    return {};
  }

  Session& session_;
  const Options& options_;
  json::array items_;
  const SystemClock clock_;
  std::optional<Mono> until_;
  std::uint64_t revision_ = 0;
};

Result<> watch(Session& session, const Options& options) {
  TRY(json::array items, items_of(options));
  return Watch(session, options, std::move(items)).run();
}

}  // namespace

void add_watch(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(root, "watch", "Print the newest state of configs whenever it changes, or run a command on it");
  command
      ->add_option("what", options->what, "Config keys, or the start of keys: dev, dev/shop, dev/shop/default/conf.d/")
      ->required()
      ->type_name("KEY|PREFIX");
  command
      ->add_option("--exec", options->command,
                   "Run this with sh on what is newest after a change: content on standard input and in "
                   "$CONFIG_CENTER_FILE; also "
                   "$CONFIG_CENTER_KEY, _REVISION, _VERSION, _DELETED")
      ->type_name("COMMAND");
  command->add_flag("--once", options->once, "End after the first change");
  command->add_option("--timeout", options->timeout, "End after so long: 30s, 5m; with --once that is a failure")
      ->type_name("TIME");
  CLI::Option* initial = command->add_flag("--initial", options->initial, "Begin with what is published now");
  command->add_option("--after", options->after, "Begin after this revision instead of now")
      ->check(whole_number())
      ->type_name("REVISION")
      ->excludes(initial);
  command->footer(examples({
      "config-center watch dev/shop/default/application.yaml",
      "config-center watch prod/shop prod/mail -o json",
      "config-center watch dev/shop/default/nginx.conf --initial --exec 'cat > /etc/nginx/nginx.conf && nginx -s "
      "reload'",
      "config-center watch dev/shop/default/application.yaml --once --timeout 1m",
  }));
  on_run(*command, session, [&session, options] { return watch(session, *options); });
}

}  // namespace cc::cli
