#include <algorithm>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/address.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string id, application, environment, description, expires;
  std::vector<std::string> addresses;
  Page page;
};

Result<> list(Session& session, const Options& options) {
  TRY(const json::array keys, session.list("/v1/keys", {}, options.page));
  return session.print(keys, [&] {
    Table table({"ID", "APPLICATION", "ENVIRONMENT", "ADDRESSES", "STATE", "EXPIRES", "CREATED BY", "DESCRIPTION"});
    for (const json::value& each : keys) {
      std::string addresses;
      if (const auto* all = each.as_object().if_contains("addresses"); all && all->is_array()) {
        for (const json::value& address : all->get_array())
          addresses += (addresses.empty() ? "" : ",") + std::string(address.as_string());
      }
      const std::string environment = member_text(each, "environment"), expires = member_text(each, "expires_at");
      table.add({member_text(each, "id"), member_text(each, "application"), environment.empty() ? "all" : environment,
                 addresses.empty() ? "any" : addresses, member_text(each, "revoked") == "true" ? "revoked" : "valid",
                 expires.empty() ? "never" : expires, member_text(each, "created_by"),
                 member_text(each, "description")});
    }
    return keys.empty() ? std::string("no access keys\n") : table.to_text();
  });
}

// A time, or how long from now.
Result<std::string> expiry(const std::string& text) {
  const Wall now = SystemClock().wall();
  if (const auto after = parse_duration(text)) return format_time(now + *after);
  const auto time = parse_time(text);
  if (!time) return wrong_usage(fmt::format("\"{}\" is no time; write 2026-12-31, or how long: 90d", text));
  if (*time <= now) return wrong_usage(fmt::format("{} is over; a key that expires then is of no use", text));
  return format_time(*time);
}

Result<> create(Session& session, const Options& options) {
  json::object body = {{"application", options.application}};
  if (!options.environment.empty()) body["environment"] = options.environment;
  if (!options.description.empty()) body["description"] = options.description;
  if (!options.addresses.empty()) body["addresses"] = json::array(options.addresses.begin(), options.addresses.end());
  if (!options.expires.empty()) {
    TRY(body["expires_at"], expiry(options.expires));
  }
  if (session.dry_run) {
    TRYV(session.get_json("/v1/keys?limit=1"));
    if (!options.environment.empty()) TRYV(session.get_json("/v1/environments/" + percent_encode(options.environment)));
    return session.would(fmt::format("create an access key for {}", options.application));
  }
  TRY(const json::value key, session.send_json("POST", "/v1/keys", body));
  return session.print(key, [&] {
    return fmt::format(
        "created the access key {} for {}\n\n  {}\n\nIt is shown once; give it to the application as "
        "CONFIG_CENTER_TOKEN or as a bearer token.\n",
        member_text(key, "id"), options.application, member_text(key, "key"));
  });
}

Result<> revoke(Session& session, const Options& options) {
  const std::string what = fmt::format("revoke the access key {}", options.id);
  if (session.dry_run) {
    TRY(const json::array keys, session.list("/v1/keys", {}, {}));
    if (std::ranges::none_of(keys, [&](const json::value& each) { return member_text(each, "id") == options.id; })) {
      return fail(Code::not_found,
                  fmt::format("there is no access key {}; there are: config-center key list", options.id));
    }
    return session.would(what);
  }
  TRYV(session.confirm(what));
  TRY(const json::value outcome,
      session.call_json({.method = "DELETE", .target = "/v1/keys/" + percent_encode(options.id)}));
  return session.print(outcome, [&] { return fmt::format("revoked the access key {}\n", options.id); });
}

}  // namespace

void add_key(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group =
      add_command(root, "key", "Administer access keys, with which applications read and watch")->require_subcommand(1);
  group->footer(examples({"config-center key create shop --environment prod", "config-center key list",
                          "config-center key revoke ck_..."}));

  CLI::App* command = add_command(*group, "list", "List access keys, without their secrets");
  add_page_options(*command, options->page);
  command->footer(examples({"config-center key list"}));
  on_run(*command, session, [&session, options] { return list(session, *options); });

  command = add_command(*group, "create", "Make an access key for an application; it is shown once");
  command->add_option("application", options->application, "The application that it reads")
      ->required()
      ->type_name("APP");
  command->add_option("--environment", options->environment, "Only in this environment")->type_name("ENV");
  command->add_option("--description", options->description, "What it is for")->type_name("TEXT");
  command->add_option("--address", options->addresses, "Only from this address or range; may be repeated")
      ->type_name("ADDRESS|CIDR")
      ->expected(1);
  command->add_option("--expires", options->expires, "Until a time, or for so long: 2026-12-31, 90d")
      ->type_name("TIME");
  add_dry_run(*command, session);
  command->footer(examples({"config-center key create shop --environment prod --expires 90d",
                            "config-center key create shop --address 10.0.0.0/8 --address 192.168.1.7"}));
  on_run(*command, session, [&session, options] { return create(session, *options); });

  command = add_command(*group, "revoke", "Refuse an access key from now on");
  command->add_option("id", options->id, "Its id, from config-center key list")->required()->type_name("ID");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({"config-center key revoke ck_01ABC --yes"}));
  on_run(*command, session, [&session, options] { return revoke(session, *options); });
}

}  // namespace cc::cli
