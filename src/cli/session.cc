#include "cli/session.h"

#include <algorithm>
#include <array>
#include <cctype>
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
// A change that was answered later than that was waited for by the server already, and is not sent again.
constexpr milliseconds kAgainWithin(2000);
constexpr std::array kPauses = {milliseconds(100), milliseconds(300), milliseconds(900)};

bool changes_something(std::string_view method) {
  return method != "GET" && method != "HEAD";
}

Result<http::ClientResponse> with_advice(Result<http::ClientResponse> answer) {
  if (!answer && answer.error().code == Code::unavailable) {
    answer.error().message +=
        "\nStart a server with: config-center serve. Choose another, or several, with: --server URL,URL, or "
        "CONFIG_CENTER_SERVER";
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

Result<std::vector<std::string>> Session::servers() {
  const char* from_variable = variable("CONFIG_CENTER_SERVER");
  std::string urls = !server_option.empty() ? server_option : from_variable != nullptr ? from_variable : "";
  if (urls.empty()) {
    TRY(const CredentialsContent kept, credentials_.load());
    urls = kept.current.empty() ? kDefaultServer : kept.current;
  }
  std::vector<std::string> all;
  for (const std::string_view url : split(urls, ',')) {
    auto normal = normal_url(trim(url));
    if (!normal) return wrong_usage(std::move(normal).error());
    all.push_back(*std::move(normal));
  }
  return all;
}

Result<std::string> Session::server() {
  TRY(const std::vector<std::string> all, servers());
  return all[server_in_use_ % all.size()];
}

Result<std::string> Session::token() {
  if (const char* given = variable("CONFIG_CENTER_TOKEN")) return std::string(given);
  TRY(std::vector<std::string> urls, servers());
  std::ranges::rotate(urls, urls.begin() + static_cast<std::ptrdiff_t>(server_in_use_ % urls.size()));
  TRY(const CredentialsContent kept, credentials_.load());
  for (const std::string& url : urls) {
    const auto found = kept.servers.find(url);
    if (found != kept.servers.end() && !found->second.token.empty()) return found->second.token;
  }
  return std::string();
}

Result<TlsFiles> Session::tls_files() {
  TRY(const std::string url, server());
  TRY(const CredentialsContent kept, credentials_.load());
  const auto found = kept.servers.find(url);
  const TlsFiles of_server = found == kept.servers.end() ? TlsFiles{} : found->second.tls;
  const auto first = [](const std::string& option, const char* from_variable, const std::string& before) {
    return !option.empty() ? option : from_variable != nullptr ? std::string(from_variable) : before;
  };
  return TlsFiles{
      .ca = first(tls_option.ca, variable("CONFIG_CENTER_CA_FILE"), of_server.ca),
      .certificate = first(tls_option.certificate, variable("CONFIG_CENTER_CERT_FILE"), of_server.certificate),
      .key = first(tls_option.key, variable("CONFIG_CENTER_KEY_FILE"), of_server.key)};
}

Result<http::Client> Session::client_to(const std::string& url, const std::string& bearer) {
  TRY(const TlsFiles files, tls_files());
  auto made = http::Client::make(
      {.url = url, .bearer = bearer, .ca_file = files.ca, .cert_file = files.certificate, .key_file = files.key});
  if (!made) return wrong_usage(std::move(made).error());
  return made;
}

Result<http::Client*> Session::client() {
  if (!client_) {
    TRY(const std::string url, server());
    TRY(const std::string bearer, token());
    TRY(client_, client_to(url, bearer));
  }
  return &*client_;
}

void Session::turn_to_next_server() {
  ++server_in_use_;
  client_.reset();
}

Result<http::ClientResponse> Session::ask_any(const std::function<Result<http::ClientResponse>(http::Client&)>& ask,
                                              const std::function<bool()>& may_go_on) {
  TRY(const std::vector<std::string> all, servers());
  for (std::size_t asked = 1;; ++asked) {
    TRY(http::Client * to, client());
    auto answer = ask(*to);
    const bool gone = !answer && answer.error().code == Code::unavailable;
    if (gone && all.size() > 1) turn_to_next_server();
    if (!gone || asked == all.size() || !may_go_on()) return with_advice(std::move(answer));
  }
}

Result<http::ClientResponse> Session::send_as(const std::string& bearer, const http::ClientRequest& request) {
  const auto ask = [&](http::Client&) -> Result<http::ClientResponse> {
    TRY(const std::string url, server());
    TRY(http::Client once, client_to(url, bearer));
    return once.send(request);
  };
  return ask_any(ask, [] { return true; });
}

Result<http::ClientResponse> Session::send_to(const std::string& url, const http::ClientRequest& request) {
  TRY(const std::string bearer, token());
  TRY(http::Client once, client_to(url, bearer));
  return once.send(request);
}

Result<http::ClientResponse> Session::send(http::ClientRequest request) {
  const bool change = changes_something(request.method);
  if (change) request.headers.emplace_back("X-Request-Id", random_id());
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t attempt = 0;; ++attempt) {
    auto answer = ask_any([&](http::Client& to) { return to.send(request); }, [] { return true; });
    const bool lost = !answer ? answer.error().code == Code::unavailable || answer.error().code == Code::timeout
                              : answer->status == 503 || answer->status == 504;
    const bool late = std::chrono::steady_clock::now() - began >= kAgainWithin;
    if (!change || !lost || late || attempt == kPauses.size()) return answer;
    if (answer || answer.error().code == Code::timeout) turn_to_next_server();
    std::this_thread::sleep_for(kPauses.at(attempt));
  }
}

Result<http::ClientResponse> Session::stream(http::ClientRequest request,
                                             const std::function<bool(std::string_view)>& on_bytes) {
  bool begun = false;
  const auto note = [&](std::string_view bytes) {
    begun = true;
    return on_bytes(bytes);
  };
  return ask_any([&](http::Client& to) { return to.stream(request, note); }, [&] { return !begun; });
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
  return json_of(answer);
}

Result<bool> Session::is_there(const std::string& target) {
  TRY(const http::ClientResponse answer, send({.target = target}));
  if (answer.status == 404) return false;
  if (answer.status >= 400) return fail(error_of_answer(answer));
  return true;
}

Result<json::value> Session::json_of(const http::ClientResponse& answer) {
  if (answer.body.empty()) return json::value();
  boost::system::error_code error;
  json::value body = json::parse(answer.body, error);
  if (error) {
    return fail(Code::corruption, fmt::format("{} answered something that is not JSON; is it a config-center?",
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

Result<> Session::must_hold_nothing(std::string_view place, const Query& where) {
  for (const auto& [path, what] : {std::pair("/v1/configs", "configs"), std::pair("/v1/drafts", "drafts")}) {
    Query first = where;
    first.emplace_back("limit", "1");
    TRY(const json::value answer, get_json(with_query(path, first)));
    if (answer.at("items").as_array().empty()) continue;
    return fail(Code::conflict, fmt::format("there are {} in {}; delete them first", what, place));
  }
  return {};
}

Result<json::array> Session::list(const std::string& path, Query query, const Page& page) {
  json::array items;
  std::string cursor = page.cursor;
  for (;;) {
    const std::size_t want = page.limit == 0 ? kLargestPage : std::min(kLargestPage, page.limit - items.size());
    Query asked = query;
    asked.emplace_back("limit", std::to_string(want));
    asked.emplace_back("cursor", cursor);
    auto got_page = get_json(with_query(path, asked));
    // A cursor is the only thing here that a person types and only the server can judge.
    if (!got_page && got_page.error().code == Code::invalid_argument && cursor == page.cursor && !cursor.empty()) {
      return wrong_usage(std::move(got_page).error());
    }
    TRY(json::value answer, std::move(got_page));
    const json::value* got = answer.is_object() ? answer.get_object().if_contains("items") : nullptr;
    if (got == nullptr || !got->is_array())
      return fail(Code::corruption, path + " answered no list; is the server a config-center?");
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

Result<> Session::print(const json::value& value, const std::function<std::string()>& as_text) {
  switch (output) {
    case Output::json:
      return write_output(to_pretty_json(value));
    case Output::yaml:
      return write_output(to_yaml(value));
    case Output::table:
      break;
  }
  return write_output(as_text());
}

Result<> Session::print_list(const json::array& items, const std::vector<std::pair<std::string, std::string>>& columns,
                             std::string_view when_empty) {
  return print(items, [&] {
    if (items.empty()) return std::string(when_empty) + "\n";
    std::vector<std::string> header;
    header.reserve(columns.size());
    for (const auto& [title, member] : columns)
      header.push_back(title);
    Table table(header);
    for (const json::value& item : items) {
      std::vector<std::string> row;
      for (const auto& [title, member] : columns) {
        std::string text = member_text(item, member);
        if (member == "size") text = format_size(std::strtoull(text.c_str(), nullptr, 10));
        if (member == "secret") text = text == "true" ? "yes" : "";
        row.push_back(std::move(text));
      }
      table.add(std::move(row));
    }
    return table.to_text();
  });
}

Result<> Session::confirm(std::string_view what) {
  if (yes || dry_run) return {};
  if (!input_is_terminal()) {
    return wrong_usage(fmt::format("will not {} unasked, and nobody is there to ask; repeat with --yes", what));
  }
  TRY(const std::string answer, ask(fmt::format("Really {}? [y/N] ", what), false));
  std::string lower(trim(answer));
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "y" || lower == "yes") return {};
  return fail(Code::conflict, "nothing was changed");
}

Result<> Session::would(std::string_view what) {
  return print({{"dry_run", true}, {"would", what}},
               [&] { return fmt::format("would {}; nothing was changed\n", what); });
}

void add_shared_options(CLI::App& root, Session& session) {
  const std::string group = "Options of every command";
  root.add_option("--server", session.server_option,
                  "Address of a server: http://127.0.0.1:8848 (or CONFIG_CENTER_SERVER; else the last one logged in "
                  "to). Several, "
                  "separated by commas: when one cannot be connected to, the next is asked")
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
  root.add_option("--ca-file", session.tls_option.ca,
                  "PEM file of certificates that sign the server's (https; or CONFIG_CENTER_CA_FILE; login keeps it)")
      ->type_name("FILE")
      ->group(group);
  root.add_option("--cert-file", session.tls_option.certificate,
                  "PEM file of a certificate for servers that ask for one (or CONFIG_CENTER_CERT_FILE; login keeps it)")
      ->type_name("FILE")
      ->group(group);
  root.add_option("--key-file", session.tls_option.key,
                  "PEM file of its key (or CONFIG_CENTER_KEY_FILE; login keeps it)")
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
  command.add_option("--limit", page.limit, "At most so many; 0: all")
      ->capture_default_str()
      ->check(whole_number())
      ->type_name("N");
  command.add_option("--cursor", page.cursor, "Go on where an earlier list ended")->type_name("CURSOR");
}

void add_freshness(CLI::App& command, Freshness& freshness) {
  command
      .add_option("--consistency", freshness.consistency,
                  "strong: everything that any node has acknowledged; without it, what the node asked has")
      ->check(one_of({"strong"}))
      ->type_name("HOW");
  command
      .add_option("--min-revision", freshness.min_revision, "Wait until the node asked has this revision, at most 10 s")
      ->check(whole_number())
      ->type_name("REVISION");
}

Query with_freshness(Query query, const Freshness& freshness) {
  query.emplace_back("consistency", freshness.consistency);
  query.emplace_back("min_revision", freshness.min_revision);
  return query;
}

void add_if_match(CLI::App& command, std::optional<std::uint64_t>& revision, const std::string& meaning) {
  command.add_option("--if-match", revision, meaning)->check(whole_number())->type_name("REVISION");
}

CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& meaning) {
  return parent.add_subcommand(name, meaning);
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
  return out + "\nOptions of every command (--server, -o, --ca-file, ...): config-center --help";
}

}  // namespace cc::cli
