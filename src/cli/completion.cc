#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/address.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kPatience{1500};
constexpr std::string_view kFiles = ":files";  // the shell knows better

// Asks the server without a word when it does not answer.
class QuietServer {
 public:
  explicit QuietServer(Session& session) {
    const auto url = session.server();
    const auto token = session.token();
    const auto files = session.tls_files();
    if (!url || !token || !files) return;
    auto client = http::Client::make({.url = *url,
                                      .bearer = *token,
                                      .ca_file = files->ca,
                                      .cert_file = files->certificate,
                                      .key_file = files->key,
                                      .timeout = kPatience});
    if (client) client_ = *std::move(client);
  }

  // The member `name` of each item of a list; of its first page only.
  std::vector<std::string> names(const std::string& target, std::string_view name) {
    std::vector<std::string> out;
    if (!client_) return out;
    const auto answer = client_->send({.target = target});
    if (!answer || answer->status != 200) return out;
    boost::system::error_code error;
    const json::value body = json::parse(answer->body, error);
    const json::value* items = !error && body.is_object() ? body.get_object().if_contains("items") : nullptr;
    if (items == nullptr || !items->is_array()) return out;
    for (const json::value& each : items->get_array())
      out.push_back(member_text(each, name));
    return out;
  }

 private:
  std::optional<http::Client> client_;
};

std::vector<Candidate> config_keys(Session& session, std::string_view typed) {
  QuietServer server(session);
  if (typed.find('/') == std::string_view::npos) {
    std::vector<std::string> environments = server.names("/v1/environments", "name");
    for (std::string& each : environments)
      each += '/';
    return next_steps(typed, environments);
  }
  // Only whole segments narrow the question; the one that is being typed is compared here.
  const auto where = parse_where(typed.substr(0, typed.rfind('/') + 1));
  if (!where) return {};
  Query query = query_of(*where);
  query.emplace_back("limit", "1000");
  return next_steps(typed, server.names(with_query("/v1/configs", query), "key"));
}

std::vector<Candidate> starting_with(std::string_view typed, const std::vector<std::string>& names) {
  std::vector<Candidate> out;
  for (const std::string& each : names)
    if (each.starts_with(typed)) out.push_back({each, ""});
  return out;
}

}  // namespace

int print_candidates(const CLI::App& root, Session& session, const std::vector<std::string>& words) {
  Completion completion = complete(root, words);
  session.server_option = completion.server;
  session.tls_option = completion.tls;
  const std::string_view typed = completion.typed;
  std::vector<Candidate> found;
  switch (completion.ask) {
    case Completion::Ask::nothing:
      break;
    case Completion::Ask::files:
      found = {{std::string(kFiles), ""}};
      break;
    case Completion::Ask::config_keys:
      found = config_keys(session, typed);
      break;
    case Completion::Ask::environments:
      found = starting_with(typed, QuietServer(session).names("/v1/environments", "name"));
      break;
    case Completion::Ask::applications:
      found = starting_with(typed, QuietServer(session).names("/v1/applications?limit=1000", "name"));
      break;
    case Completion::Ask::users:
      found = starting_with(typed, QuietServer(session).names("/v1/users?limit=1000", "name"));
      break;
  }
  found.insert(found.begin(), completion.candidates.begin(), completion.candidates.end());
  std::string out;
  for (const Candidate& each : found) {
    const std::string text = (each.text == kFiles ? "" : completion.before) + each.text;
    out += each.description.empty() ? text + "\n" : text + "\t" + each.description + "\n";
  }
  return write_output(out) ? 0 : 1;
}

void add_completion(CLI::App& root, Session& session) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = add_command(root, "completion", "Print the script that completes commands in a shell");
  command->add_option("shell", *shell, "bash or zsh")->required()->check(one_of({"bash", "zsh"}))->type_name("SHELL");
  command->footer(examples({
      "source <(config-center completion bash)                                     this shell",
      "config-center completion bash > /etc/bash_completion.d/config-center       every bash",
      "config-center completion zsh > /usr/local/share/zsh/site-functions/_config-center",
  }));
  on_run(*command, session,
         [shell]() -> Result<> { return write_output(*shell == "bash" ? bash_completion() : zsh_completion()); });
}

}  // namespace cc::cli
