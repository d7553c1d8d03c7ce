#include "cli/session.h"

#include <unistd.h>

#include <cstdlib>
#include <thread>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "cli/check.h"
#include "cli/terminal.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr std::string_view kDefaultServer = "http://127.0.0.1:8848";
constexpr std::string_view kWrongUsage = R"({"usage":true})";
constexpr std::size_t kLargestPage = 1000;
constexpr std::array kPauses = {milliseconds(100), milliseconds(300), milliseconds(900)};

bool changes_something(std::string_view method) {
  return method != "GET" && method != "HEAD";
}

Result<http::ClientResponse> with_advice(Result<http::ClientResponse> answer) {
  if (!answer && answer.error().code == Code::unavailable) {
    answer.error().message +=
        "\nStart a server with: config-center serve. Choose another with: --server URL, or CONFIG_CENTER_SERVER";
  }
  return answer;
}

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

}  // namespace

std::unexpected<Error> wrong_usage(std::string message) {
  return fail(Code::invalid_argument, std::move(message), std::string(kWrongUsage));
}

std::unexpected<Error> wrong_usage(Error error) {
  return wrong_usage(std::move(error.message));
}

bool is_wrong_usage(const Error& error) {
  return error.details == kWrongUsage;
}

std::string with_query(std::string path, const Query& query) {
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    path += fmt::format("{}{}={}", separator, name, percent_encode(value));
    separator = '&';
  }
  return path;
}

Result<std::string> Session::server() {
  const char* from_variable = variable("CONFIG_CENTER_SERVER");
  std::string url = !server_option.empty() ? server_option : from_variable != nullptr ? from_variable : "";
  if (url.empty()) {
    TRY(const CredentialsContent kept, credentials_.load());
    url = kept.current.empty() ? kDefaultServer : kept.current;
  }
  auto normal = normal_url(url);
  if (!normal) return wrong_usage(std::move(normal).error());
  return normal;
}

Result<std::string> Session::token() {
  if (const char* given = variable("CONFIG_CENTER_TOKEN")) return std::string(given);
  TRY(const std::string url, server());
  TRY(const CredentialsContent kept, credentials_.load());
  const auto found = kept.servers.find(url);
  return found == kept.servers.end() ? std::string() : found->second.token;
}

Result<http::Client*> Session::client() {
  if (!client_) {
    TRY(const std::string url, server());
    TRY(const std::string bearer, token());
    auto made = http::Client::make({.url = url, .bearer = bearer, .ca_file = ca_file});
    if (!made) return wrong_usage(std::move(made).error());
    client_ = *std::move(made);
  }
  return &*client_;
}

Result<http::ClientResponse> Session::send(http::ClientRequest request) {
  TRY(http::Client * to, client());
  const bool change = changes_something(request.method);
  if (change) request.headers.emplace_back("X-Request-Id", random_id());
  for (std::size_t attempt = 0;; ++attempt) {
    auto answer = with_advice(to->send(request));
    const bool lost = !answer ? answer.error().code == Code::unavailable || answer.error().code == Code::timeout
                              : answer->status == 503 || answer->status == 504;
    if (!change || !lost || attempt == kPauses.size()) return answer;
    std::this_thread::sleep_for(kPauses.at(attempt));
  }
}

Result<http::ClientResponse> Session::stream(http::ClientRequest request,
                                             const std::function<bool(std::string_view)>& on_bytes) {
  TRY(http::Client * to, client());
  return with_advice(to->stream(request, on_bytes));
}

Error Session::error_of_answer(const http::ClientResponse& answer) {
  Error error = http::error_of(answer);
  if (error.code == Code::unauthenticated) {
    const std::string url = server().value_or(std::string(kDefaultServer));
    const std::string how = "config-center login" + (url == kDefaultServer ? "" : " --server " + url);
    error.message += variable("CONFIG_CENTER_TOKEN") != nullptr
                         ? ". It is the one in CONFIG_CENTER_TOKEN; unset that to use the one of: " + how
                         : ". Log in with: " + how;
  } else if (error.code == Code::permission_denied) {
    error.message += ". Who you are, and what you may do: config-center whoami";
  }
  return error;
}

Result<http::ClientResponse> Session::call(http::ClientRequest request) {
  TRY(http::ClientResponse answer, send(std::move(request)));
  if (answer.status >= 400) return fail(error_of_answer(answer));
  return answer;
}

Result<json::value> Session::call_json(http::ClientRequest request) {
  TRY(const http::ClientResponse answer, call(std::move(request)));
  if (answer.body.empty()) return json::value();
  boost::system::error_code error;
  json::value body = json::parse(answer.body, error);
  if (error) {
    return fail(Code::internal, fmt::format("{} answered something that is not JSON; is it a config-center?",
                                            server().value_or("the server")));
  }
  return body;
}

Result<json::value> Session::send_json(std::string_view method, const std::string& target, const json::value& body) {
  return call_json({.method = std::string(method),
                    .target = target,
                    .headers = {{"Content-Type", "application/json"}},
                    .body = json::serialize(body)});
}

Result<json::array> Session::list(const std::string& path, Query query, const Page& page) {
  json::array items;
  std::string cursor = page.cursor;
  for (;;) {
    const std::size_t want = page.limit == 0 ? kLargestPage : std::min(kLargestPage, page.limit - items.size());
    Query asked = query;
    asked.emplace_back("limit", std::to_string(want));
    asked.emplace_back("cursor", cursor);
    TRY(json::value answer, get_json(with_query(path, asked)));
    const json::value* got = answer.is_object() ? answer.get_object().if_contains("items") : nullptr;
    if (got == nullptr || !got->is_array()) return fail(Code::internal, path + " answered no list");
    for (json::value& each : answer.get_object()["items"].as_array())
      items.push_back(std::move(each));
    cursor = member_text(answer, "next");
    if (cursor.empty()) return items;
    if (page.limit != 0 && items.size() >= page.limit) {
      notice = fmt::format("there is more; go on with --cursor {}", cursor);
      return items;
    }
  }
}

void Session::print(const json::value& value, const std::function<std::string()>& as_text) {
  switch (output) {
    case Output::json:
      return write_output(to_pretty_json(value));
    case Output::yaml:
      return write_output(to_yaml(value));
    case Output::table:
      return write_output(as_text());
  }
}

void Session::print_list(const json::array& items, const std::vector<std::pair<std::string, std::string>>& columns,
                         std::string_view when_empty) {
  print(items, [&] {
    if (items.empty()) return std::string(when_empty) + "\n";
    std::vector<std::string> header;
    for (const auto& [title, member] : columns)
      header.push_back(title);
    Table table(header);
    for (const json::value& item : items) {
      std::vector<std::string> row;
      for (const auto& [title, member] : columns) {
        std::string text = member_text(item, member);
        if (member == "size") text = format_size(std::strtoull(text.c_str(), nullptr, 10));
        row.push_back(std::move(text));
      }
      table.add(std::move(row));
    }
    return table.to_text();
  });
}

void Session::say(std::string_view sentence) const {
  if (output == Output::table) write_output(std::string(sentence) + "\n");
}

Result<> Session::confirm(std::string_view what) {
  if (yes || dry_run) return {};
  if (!input_is_terminal()) {
    return wrong_usage(fmt::format("will not {} unasked, and nobody is there to ask; repeat with --yes", what));
  }
  TRY(const std::string answer, ask(fmt::format("Really {}? [y/N] ", what), false));
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return fail(Code::conflict, "nothing was changed");
}

bool Session::only_shown(std::string_view what) {
  if (!dry_run) return false;
  print({{"dry_run", true}, {"would", what}}, [&] { return fmt::format("would {}; nothing was changed\n", what); });
  return true;
}

void add_shared_options(CLI::App& root, Session& session) {
  const std::string group = "Options of every command";
  root.add_option(
          "--server", session.server_option,
          "Address of a server: http://127.0.0.1:8848 (or CONFIG_CENTER_SERVER; else the last one logged in to)")
      ->type_name("URL")
      ->group(group);
  root.add_option_function<std::string>(
          "-o,--output",
          [&session](const std::string& text) {
            session.output = text == "json" ? Output::json : text == "yaml" ? Output::yaml : Output::table;
          },
          "How to print: table (for people), json or yaml")
      ->check(one_of({"table", "json", "yaml"}))
      ->type_name("FORM")
      ->group(group);
  root.add_option("--ca-file", session.ca_file, "PEM file of certificates that sign the server's (https)")
      ->type_name("FILE")
      ->group(group);
}

void add_yes(CLI::App& command, Session& session) {
  command.add_flag("-y,--yes", session.yes, "Do not ask");
}

void add_dry_run(CLI::App& command, Session& session) {
  command.add_flag("--dry-run", session.dry_run, "Say what would change, and change nothing");
}

void add_page_options(CLI::App& command, Page& page) {
  command.add_option("--limit", page.limit, "At most so many; 0: all")->capture_default_str()->type_name("N");
  command.add_option("--cursor", page.cursor, "Go on where an earlier list ended")->type_name("CURSOR");
}

void on_run(CLI::App& command, Session& session, std::function<Result<int>()> run) {
  command.callback([&session, run = std::move(run)] { session.chosen = run; });
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string examples(std::initializer_list<std::string_view> lines) {
  std::string out = "\nExamples:\n";
  for (const std::string_view line : lines)
    out += fmt::format("  {}\n", line);
  return out + "\nOptions of every command (--server, -o, --ca-file): config-center --help";
}

}  // namespace cc::cli
