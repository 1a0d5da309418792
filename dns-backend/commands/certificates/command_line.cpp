#include "dns-backend/commands/certificates/command_line.hpp"

#include "dns-backend/commands/certificates/certificate_commands.hpp"

#include <CLI/CLI.hpp>

namespace commands {
namespace {

struct Arguments {
  bool json = false;
  bool due = false;
  bool staging = false;
  std::string name;
  std::string reason;
  std::string directory;
  UploadWords upload;
  bool no_fallback = false;
  bool accounts = false;
  bool tenants = false;
};

CLI::App* leaf(CLI::App& parent, char const* name, char const* text, Action& action, Action run) {
  auto* command = parent.add_subcommand(name, text);
  command->callback([&action, run = std::move(run)] { action = run; });
  return command;
}

void add_upload_words(CLI::App& cert, Arguments& given, Action& action) {
  char const* const tenant = "The tenant's label";
  char const* const name = "His own name or one of his verified domains";
  auto* upload =
      leaf(cert, "upload", "Serve a certificate that the tenant brings", action, [&given](Place const& place) {
        given.upload.fallback = !given.no_fallback;
        return upload_certificate(place, given.upload, {given.json});
      });
  upload->add_option("tenant", given.upload.tenant, tenant)->required();
  upload->add_option("name", given.upload.name, name)->required();
  upload->add_option("--chain", given.upload.chain_file, "PEM file: the leaf first, then what signed it")->required();
  upload->add_option("--key", given.upload.key_file, "PEM file of its key, not encrypted; - reads standard input")
      ->required();
  upload->add_flag("--no-fallback", given.no_fallback, "Only an alarm before it ends, no order of our own");
  upload->add_flag("--json", given.json, "Print JSON");
  auto* remove = leaf(cert, "remove", "Serve no longer what the tenant brought", action, [&given](Place const& place) {
    return remove_certificate(place, given.upload.tenant, given.upload.name);
  });
  remove->add_option("tenant", given.upload.tenant, tenant)->required();
  remove->add_option("name", given.upload.name, name)->required();
}

void add_cert_words(CLI::App& app, Arguments& given, Action& action) {
  char const* const named = "A tenant's label, or a name of its certificate";
  auto* cert = app.add_subcommand("cert", "Tenants' certificates: list, why, order, revoke, upload, remove")
                   ->require_subcommand(1);
  auto* list = leaf(*cert, "list", "State, end and next renewal of each", action, [&given](Place const& place) {
    return list_certificates(place, given.upload.tenant, given.due, {given.json});
  });
  auto* due = list->add_flag("--due", given.due, "Only what is missing, due, revoked or near its end");
  list->add_option("--tenant", given.upload.tenant, "Of this tenant: as its own tokens have to say it")->excludes(due);
  list->add_flag("--json", given.json, "Print JSON");
  auto* why = leaf(*cert, "why", "Why it is as it is: DNS, each site, limits, attempts", action,
                   [&given](Place const& place) { return explain_certificate(place, given.name, {given.json}); });
  why->add_option("name", given.name, named)->required();
  why->add_flag("--json", given.json, "Print JSON");
  auto* order = leaf(*cert, "order", "Try now; a good certificate is replaced", action, [&given](Place const& place) {
    return order_certificate(place, given.name, given.staging, {given.json});
  });
  order->add_option("name", given.name, named)->required();
  order->add_flag("--staging", given.staging, "Rehearse at the staging CA; nothing is kept");
  order->add_flag("--json", given.json, "Print JSON");
  auto* revoke = leaf(*cert, "revoke", "Revoke it and order its replacement at once", action,
                      [&given](Place const& place) { return revoke_certificate(place, given.name, given.reason); });
  revoke->add_option("name", given.name, named)->required();
  revoke->add_option("--reason", given.reason, "keyCompromise, superseded, cessationOfOperation, ...")->required();
  add_upload_words(*cert, given, action);
}

void add_account_words(CLI::App& app, Arguments& given, Action& action) {
  auto* acme = app.add_subcommand("acme", "Accounts at the CAs")->require_subcommand(1);
  auto* account = acme->add_subcommand("account", "list, rekey, agree")->require_subcommand(1);
  leaf(*account, "list", "Each CA, its account and state", action, [&given](Place const& place) {
    return list_accounts(place, {given.json});
  })->add_flag("--json", given.json, "Print JSON");
  auto* rekey = leaf(*account, "rekey", "Give the account another key", action,
                     [&given](Place const& place) { return change_account(place, "rekey", given.directory); });
  auto* agree = leaf(*account, "agree", "Agree to the CA's changed terms of service", action,
                     [&given](Place const& place) { return change_account(place, "agree", given.directory); });
  for (auto* const command : {rekey, agree}) {
    command->add_option("directory", given.directory, "The CA's directory (default: the first)");
  }
}

void add_vault_words(CLI::App& app, Arguments& given, Action& action) {
  auto* vault =
      app.add_subcommand("vault", "The keys that seal certificates' keys: status, rotate")->require_subcommand(1);
  leaf(*vault, "status", "The master key's id, how many data keys", action, [&given](Place const& place) {
    return show_keys(place, {given.json});
  })->add_flag("--json", given.json, "Print JSON");
  auto* rotate = leaf(*vault, "rotate", "A fresh master key, or with an option fresh data keys", action,
                      [&given](Place const& place) {
                        char const* const what = !given.name.empty() ? "tenant"
                                                 : given.tenants     ? "tenants"
                                                 : given.accounts    ? "accounts"
                                                                     : "master";
                        return rotate_keys(place, what, given.name, {given.json});
                      });
  auto* one = rotate->add_option("--tenant", given.name, "The data key of this tenant (label)");
  auto* all = rotate->add_flag("--tenants", given.tenants, "The data key of every tenant");
  auto* accounts = rotate->add_flag("--accounts", given.accounts, "The data key of the accounts at the CAs");
  one->excludes(all)->excludes(accounts);
  all->excludes(accounts);
  rotate->add_flag("--json", given.json, "Print JSON");
}

}  // namespace

std::shared_ptr<void> add_certificate_commands(CLI::App& app, Action& action) {
  auto given = std::make_shared<Arguments>();
  add_cert_words(app, *given, action);
  add_account_words(app, *given, action);
  add_vault_words(app, *given, action);
  return given;
}

}  // namespace commands
