// What all commands share: which server, as whom, how to print, and whether to ask. Lives as long as the process;
// not thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

#include "base/result.h"
#include "base/table.h"
#include "cli/credentials.h"
#include "http/client.h"

namespace CLI {
class App;
}

namespace cc::cli {

enum class Output { table, json, yaml };

// The error of somebody who typed something wrong: exit status 2 instead of 1.
[[nodiscard]] std::unexpected<Error> wrong_usage(std::string message);
// The same of an error that another layer made of what was typed.
[[nodiscard]] std::unexpected<Error> wrong_usage(Error error);
bool is_wrong_usage(const Error& error);

// How much of a list to ask for.
struct Page {
  std::size_t limit = 0;  // 0: all
  std::string cursor;     // where an earlier list ended
};

using Query = std::vector<std::pair<std::string_view, std::string>>;

// How new what is read must be.
struct Freshness {
  std::string consistency, min_revision;
};

// path?name=value&…, encoded; empty values are left out.
std::string with_query(std::string path, const Query& query);

class Session {
 public:
  // Chosen by options; bound by add_shared_options().
  std::string server_option;  // --server, several separated by commas; empty: not given
  TlsFiles tls_option;        // --ca-file, --cert-file, --key-file
  Output output = Output::table;
  bool yes = false;      // --yes: destructive commands do not ask
  bool dry_run = false;  // --dry-run: say what would change

  std::string notice;  // printed on standard error when the command has ended

  // The command that was typed, with its arguments in it. Set while parsing, run afterwards.
  std::function<Result<int>()> chosen;

  // --server, CONFIG_CENTER_SERVER, the last server logged in to, or http://127.0.0.1:8848.
  Result<std::vector<std::string>> servers();
  // The one that is asked, as long as it can be connected to: then the next.
  Result<std::string> server();
  // CONFIG_CENTER_TOKEN, or what was kept for the server by `login`, or for another one of servers(), since they are
  // one group; empty: none.
  Result<std::string> token();
  // Of each file the option, the variable (CONFIG_CENTER_CA_FILE), or what was kept for the server by `login`.
  Result<TlsFiles> tls_files();
  Credentials& credentials() { return credentials_; }

  // An answer with any status is a value. A request that changes something gets an X-Request-Id and is repeated
  // under it, a few times within two seconds, when no answer came. All of servers() are tried.
  Result<http::ClientResponse> send(http::ClientRequest request);
  // This server alone, once.
  Result<http::ClientResponse> send_to(const std::string& url, const http::ClientRequest& request);
  // With this token instead of the session's; empty: none. All of servers() are tried.
  Result<http::ClientResponse> send_as(const std::string& bearer, const http::ClientRequest& request);
  // The body of an answer below 400 as it comes, until `on_bytes` returns false.
  Result<http::ClientResponse> stream(http::ClientRequest request,
                                      const std::function<bool(std::string_view)>& on_bytes);
  // As send(), but an answer with status >= 400 is the error it carries, with what to do about it.
  Result<http::ClientResponse> call(http::ClientRequest request);
  // As call(); the body parsed. An empty body is null.
  Result<boost::json::value> call_json(http::ClientRequest request);
  Result<boost::json::value> get_json(const std::string& target) { return call_json({.target = target}); }
  // Whether something is there: 200 or 404; every other status is its error.
  Result<bool> is_there(const std::string& target);
  // A request with a JSON body.
  Result<boost::json::value> send_json(std::string_view method, const std::string& target,
                                       const boost::json::value& body);
  Result<boost::json::value> json_of(const http::ClientResponse& answer);
  Error error_of_answer(const http::ClientResponse& answer);
  bool has_asked() const { return client_.has_value(); }

  // For --dry-run: the error that deleting a place has while there are configs or drafts in it.
  Result<> must_hold_nothing(std::string_view place, const Query& where);

  // The items of a paged list. Says on standard error where to go on when there are more than page.limit.
  Result<boost::json::array> list(const std::string& path, Query query, const Page& page);

  // Prints `value` as JSON or YAML, or what `as_text` makes of it.
  Result<> print(const boost::json::value& value, const std::function<std::string()>& as_text);
  // Prints a list: a table with a column per (title, member of the item). A "size" is shown as people read it.
  Result<> print_list(const boost::json::array& items, const std::vector<std::pair<std::string, std::string>>& columns,
                      std::string_view when_empty);

  // Asks whether to do `what` ("delete prod/shop/default/a.yaml"). Wrong usage when nobody can answer.
  Result<> confirm(std::string_view what);
  // With --dry-run: prints what would be done.
  Result<> would(std::string_view what);

 private:
  Result<http::Client> client_to(const std::string& url, const std::string& bearer);
  Result<http::Client*> client();
  void turn_to_next_server();
  // `ask`s the server, and while it cannot be asked and `may_go_on`, the next one.
  Result<http::ClientResponse> ask_any(const std::function<Result<http::ClientResponse>(http::Client&)>& ask,
                                       const std::function<bool()>& may_go_on);

  Credentials credentials_ = Credentials::at_home();
  std::optional<http::Client> client_;
  std::size_t server_in_use_ = 0;  // of servers()
};

// A command below `parent`. CLI11 is compiled where it makes a command: here only.
CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& meaning);

// --server, -o, --ca-file and the like on the root command.
void add_shared_options(CLI::App& root, Session& session);
void add_yes(CLI::App& command, Session& session);
void add_dry_run(CLI::App& command, Session& session);
void add_page_options(CLI::App& command, Page& page);
void add_freshness(CLI::App& command, Freshness& freshness);
// The query with what it asks for.
Query with_freshness(Query query, const Freshness& freshness);
void add_if_match(CLI::App& command, std::optional<std::uint64_t>& revision, const std::string& meaning);

// Makes `run` what the command does. `run` returns Result<> or Result<int> (the exit status).
void on_run(CLI::App& command, Session& session, std::function<Result<int>()> run);
template <class Run>
  requires std::is_same_v<std::invoke_result_t<Run&>, Result<>>
void on_run(CLI::App& command, Session& session, Run run) {
  on_run(command, session, std::function<Result<int>()>([run]() -> Result<int> {
           TRYV(run());
           return 0;
         }));
}

// "1 config", "9 configs".
std::string counted(std::uint64_t count, std::string_view noun);

// What --help prints below the options.
std::string examples(std::initializer_list<std::string_view> lines);

}  // namespace cc::cli
