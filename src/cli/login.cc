#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/password_option.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

struct Options {
  std::string username;
  PasswordOption password;
};

TlsFiles with_absolute_paths(TlsFiles files) {
  for (std::string* file : {&files.ca, &files.certificate, &files.key})
    if (!file->empty()) *file = std::filesystem::absolute(*file).string();
  return files;
}

Result<> login(Session& session, Options options) {
  TRY(const std::string url, session.server());
  TRY(const TlsFiles files, session.tls_files());
  // Before anything is asked: what cannot be kept need not be typed.
  TRY(CredentialsContent kept, session.credentials().load());
  if (options.username.empty()) {
    auto answer = ask(fmt::format("Username for {}: ", url), false);
    if (!answer || answer->empty()) return wrong_usage("say who you are with --username");
    options.username = *std::move(answer);
  }
  TRY(const std::string password,
      password_of(options.password, fmt::format("Password of {} for {}: ", options.username, url), false));
  // A token kept from before plays no part in this, and may have expired.
  TRY(const http::ClientResponse answer,
      session.send_as("", {.method = "POST",
                           .target = "/v1/login",
                           .headers = {{"Content-Type", "application/json"}},
                           .body = boost::json::serialize(
                               boost::json::value{{"username", options.username}, {"password", password}})}));
  if (answer.status >= 400) return fail(http::error_of(answer));
  TRY(const boost::json::value body, session.json_of(answer));
  const std::string token = member_text(body, "token"), expires = member_text(body, "expires_at");
  if (token.empty() || expires.empty()) {
    return fail(Code::corruption, url + " answered without a token; is it a config-center?");
  }
  TRY(const std::string answered, session.server());
  kept.current = answered;
  kept.servers[answered] = {
      .username = options.username, .token = token, .expires_at = expires, .tls = with_absolute_paths(files)};
  TRYV(session.credentials().save(kept));
  return session.print({{"server", answered}, {"username", options.username}, {"expires_at", expires}}, [&] {
    return fmt::format("logged in to {} as {} until {}\n", answered, options.username, expires);
  });
}

}  // namespace

void add_login(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "login", "Log in to a server; the commands after it use that server");
  command->add_option("-u,--username", options->username, "Who; asked for when it is not given")->type_name("NAME");
  add_password_options(*command, options->password);
  command->footer(examples({
      "config-center login --username admin",
      "config-center --server https://config.example login --username lilei --ca-file ca.pem",
      "config-center login --username admin --password-file config-center-data/admin-password",
      "printf %s \"$PASSWORD\" | config-center login --username ci --password-stdin",
  }));
  on_run(*command, session, [&session, options] { return login(session, *options); });
}

}  // namespace cc::cli
