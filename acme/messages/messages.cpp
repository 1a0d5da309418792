#include "acme/messages/messages.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace protocol {
namespace {

namespace json = boost::json;

constexpr std::size_t document_max = 256U << 10U;
constexpr std::size_t string_max = 8192;
constexpr std::size_t list_max = 100;
constexpr std::size_t challenges_max = 20;

base::Failure bad(std::string detail) {
  return base::fail(errc::bad_message, std::move(detail));
}

base::Result<json::object> parse_object(std::string_view body, char const* what) {
  if (body.size() > document_max) {
    return bad(std::string(what) + " is larger than 256 KiB");
  }
  json::parse_options options;
  options.max_depth = 32;
  boost::system::error_code error;
  json::value value = json::parse({body.data(), body.size()}, error, {}, options);
  if (error || !value.is_object()) {
    return bad(std::string(what) + " is not a JSON object");
  }
  return std::move(value.as_object());
}

// The member's text; empty when absent, no string, or too long.
std::string text_of(json::object const& object, std::string_view key) {
  json::value const* const value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || !value->is_string() || value->as_string().size() > string_max) {
    return {};
  }
  return {value->as_string().begin(), value->as_string().end()};
}

bool is_url(std::string_view text) {
  return (text.starts_with("https://") || text.starts_with("http://")) && text.size() <= 2048 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string url_of(json::object const& object, std::string_view key) {
  std::string text = text_of(object, key);
  return is_url(text) ? text : std::string();
}

std::optional<Status> status_of(json::object const& object) {
  constexpr std::array<std::pair<std::string_view, Status>, 8> words{{{"pending", Status::pending},
                                                                      {"ready", Status::ready},
                                                                      {"processing", Status::processing},
                                                                      {"valid", Status::valid},
                                                                      {"invalid", Status::invalid},
                                                                      {"deactivated", Status::deactivated},
                                                                      {"expired", Status::expired},
                                                                      {"revoked", Status::revoked}}};
  std::string const text = text_of(object, "status");
  auto const* const found = std::ranges::find(words, text, &std::pair<std::string_view, Status>::first);
  return found == words.end() ? std::nullopt : std::optional(found->second);
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// The value of {"type":"dns","value":...}; empty for anything else.
std::string dns_identifier(json::value const* value) {
  if (value == nullptr || !value->is_object() || text_of(value->as_object(), "type") != "dns") {
    return {};
  }
  return lower(text_of(value->as_object(), "value"));
}

Problem problem_of(json::object const& object, int status, bool with_subproblems) {
  constexpr std::string_view prefix = "urn:ietf:params:acme:error:";
  Problem problem;
  problem.status = status;
  problem.type = text_of(object, "type");
  if (problem.type.starts_with(prefix)) {
    problem.type.erase(0, prefix.size());
  }
  problem.detail = text_of(object, "detail").substr(0, 1000);
  problem.instance = url_of(object, "instance");
  problem.identifier = dns_identifier(object.if_contains("identifier"));
  json::value const* const list = object.if_contains("subproblems");
  if (with_subproblems && list != nullptr && list->is_array()) {
    for (json::value const& item : list->as_array()) {
      if (item.is_object() && problem.subproblems.size() < list_max) {
        problem.subproblems.push_back(problem_of(item.as_object(), status, false));
      }
    }
  }
  return problem;
}

std::optional<Problem> error_of(json::object const& object) {
  json::value const* const error = object.if_contains("error");
  if (error == nullptr || !error->is_object()) {
    return std::nullopt;
  }
  return problem_of(error->as_object(), 0, true);
}

// A domain name that can stand in a TXT value: no blank, no ';' that would end it.
bool is_issuer(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

std::vector<std::string> issuers_of(json::object const& object) {
  constexpr std::size_t issuers_max = 10;
  std::vector<std::string> issuers;
  json::value const* const list = object.if_contains("issuer-domain-names");
  if (list == nullptr || !list->is_array() || list->as_array().size() > issuers_max) {
    return issuers;
  }
  for (json::value const& item : list->as_array()) {
    if (item.is_string() && is_issuer(item.get_string())) {
      issuers.emplace_back(item.get_string());
    }
  }
  return issuers;
}

bool is_token(std::string_view token) {
  return !token.empty() && token.size() <= 256 && std::ranges::all_of(token, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

base::Result<Challenge> challenge_of(json::value const& value) {
  if (!value.is_object()) {
    return bad("a challenge is not an object");
  }
  json::object const& object = value.as_object();
  auto const status = status_of(object);
  Challenge challenge{text_of(object, "type"),          url_of(object, "url"), text_of(object, "token"),
                      status.value_or(Status::pending), error_of(object),      issuers_of(object)};
  bool const standing = challenge.type == "dns-persist-01";
  if (!standing && challenge.type != "dns-01" && challenge.type != "dns-account-01") {
    return challenge;  // other kinds may be shaped as they like
  }
  bool const good = standing ? !challenge.issuers.empty() : is_token(challenge.token);
  if (status && !challenge.url.empty() && good) {
    return challenge;
  }
  if (challenge.type == "dns-01") {
    return bad("a dns-01 challenge has no good status, url or token");
  }
  challenge.url.clear();  // drafts move: a shape that is not understood is no reason to refuse the others
  return challenge;
}

base::Result<std::vector<std::string>> names_of(json::object const& object) {
  json::value const* const list = object.if_contains("identifiers");
  if (list == nullptr || !list->is_array() || list->as_array().empty() || list->as_array().size() > list_max) {
    return bad("the order has no good 'identifiers'");
  }
  std::vector<std::string> names;
  for (json::value const& item : list->as_array()) {
    names.push_back(dns_identifier(&item));
    if (names.back().empty()) {
      return bad("the order has an identifier that is no DNS name");
    }
  }
  std::ranges::sort(names);
  return names;
}

base::Result<std::vector<std::string>> authorizations_of(json::object const& object) {
  json::value const* const list = object.if_contains("authorizations");
  if (list == nullptr || !list->is_array() || list->as_array().empty() || list->as_array().size() > list_max) {
    return bad("the order has no good 'authorizations'");
  }
  std::vector<std::string> urls;
  for (json::value const& item : list->as_array()) {
    if (!item.is_string() || !is_url({item.as_string().data(), item.as_string().size()})) {
      return bad("the order has an authorization that is no URL");
    }
    urls.emplace_back(item.as_string().begin(), item.as_string().end());
  }
  return urls;
}

void read_meta(json::object const& meta, Directory& directory) {
  json::value const* const required = meta.if_contains("externalAccountRequired");
  directory.external_account_required = required != nullptr && required->is_bool() && required->as_bool();
  directory.terms_of_service = url_of(meta, "termsOfService");
  json::value const* const profiles = meta.if_contains("profiles");
  if (profiles != nullptr && profiles->is_object()) {
    for (auto const& [name, text] : profiles->as_object()) {
      if (directory.profiles.size() < list_max && name.size() <= 64) {
        directory.profiles.emplace(name, text_of(profiles->as_object(), name));
      }
    }
  }
  json::value const* const identities = meta.if_contains("caaIdentities");
  if (identities != nullptr && identities->is_array()) {
    for (json::value const& item : identities->as_array()) {
      if (item.is_string() && directory.caa_identities.size() < list_max && item.as_string().size() <= 255) {
        directory.caa_identities.push_back(lower({item.as_string().begin(), item.as_string().end()}));
      }
    }
  }
}

// A quoted string or a token, from `at` on; `at` ends behind it.
std::string parameter_value(std::string_view text, std::size_t& at) {
  std::string value;
  if (at < text.size() && text[at] == '"') {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      at += text[at] == '\\' && at + 1 < text.size() ? 1U : 0U;
      value += text[at];
    }
    at = std::min(at + 1, text.size());
    return value;
  }
  while (at < text.size() && text[at] != ';' && text[at] != ',' && text[at] != ' ') {
    value += text[at++];
  }
  return value;
}

}  // namespace

base::Result<RenewalWindow> parse_renewal_info(std::string_view body) {
  auto const object = parse_object(body, "the renewal information");
  if (!object) {
    return object.error();
  }
  json::value const* const window = object->if_contains("suggestedWindow");
  if (window == nullptr || !window->is_object()) {
    return bad("the renewal information has no 'suggestedWindow'");
  }
  auto const start = crypto::parse_rfc3339(text_of(window->as_object(), "start"));
  auto const end = crypto::parse_rfc3339(text_of(window->as_object(), "end"));
  if (!start || !end || *end <= *start) {
    return bad("the renewal information's window has no good 'start' and 'end'");
  }
  return RenewalWindow{*start, *end, url_of(*object, "explanationURL")};
}

std::vector<std::string> links(std::string_view header, std::string_view relation) {
  std::vector<std::string> urls;
  std::size_t at = 0;
  while (at < header.size() && urls.size() < challenges_max) {
    std::size_t const open = header.find('<', at);
    std::size_t const close = header.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) {
      break;
    }
    std::string_view const url = header.substr(open + 1, close - open - 1);
    bool related = false;
    for (at = close + 1; at < header.size() && header[at] != ',';) {
      std::string_view const rest = header.substr(at);
      if (lower(std::string(rest.substr(0, 4))) == "rel=") {
        at += 4;
        related = related || lower(parameter_value(header, at)) == relation;
      } else if (header[at] == '"') {
        parameter_value(header, at);  // of another parameter; a comma in it ends nothing
      } else {
        ++at;
      }
    }
    if (related && is_url(url)) {
      urls.emplace_back(url);
    }
  }
  return urls;
}

std::string Problem::text() const {
  std::string words = type.empty() ? "HTTP status " + std::to_string(status) : type;
  words += detail.empty() ? "" : ": " + detail;
  for (Problem const& sub : subproblems) {
    words += " [" + sub.identifier + ": " + sub.text() + "]";
  }
  return words;
}

base::Result<Directory> parse_directory(std::string_view body) {
  auto const object = parse_object(body, "the directory");
  if (!object) {
    return object.error();
  }
  Directory directory;
  directory.new_nonce = url_of(*object, "newNonce");
  directory.new_account = url_of(*object, "newAccount");
  directory.new_order = url_of(*object, "newOrder");
  directory.renewal_info = url_of(*object, "renewalInfo");
  directory.key_change = url_of(*object, "keyChange");
  directory.revoke_cert = url_of(*object, "revokeCert");
  if (directory.new_nonce.empty() || directory.new_account.empty() || directory.new_order.empty()) {
    return bad("the directory lacks newNonce, newAccount or newOrder");
  }
  json::value const* const meta = object->if_contains("meta");
  if (meta != nullptr && meta->is_object()) {
    read_meta(meta->as_object(), directory);
  }
  return directory;
}

std::string parse_orders_url(std::string_view account) {
  auto const object = parse_object(account, "the account");
  return object ? url_of(*object, "orders") : std::string();
}

base::Result<std::vector<std::string>> parse_order_list(std::string_view body) {
  auto const object = parse_object(body, "the list of orders");
  if (!object) {
    return object.error();
  }
  json::value const* const orders = object->if_contains("orders");
  if (orders == nullptr || !orders->is_array()) {
    return bad("the list of orders has no 'orders'");
  }
  std::vector<std::string> urls;
  for (json::value const& one : orders->as_array()) {
    if (one.is_string() && is_url({one.as_string().begin(), one.as_string().end()})) {
      urls.emplace_back(one.as_string());
    }
  }
  return urls;
}

base::Result<Order> parse_order(std::string_view body) {
  auto const object = parse_object(body, "the order");
  if (!object) {
    return object.error();
  }
  auto const status = status_of(*object);
  auto names = names_of(*object);
  auto authorizations = authorizations_of(*object);
  if (!names) {
    return names.error();
  }
  if (!authorizations) {
    return authorizations.error();
  }
  Order order;
  order.finalize = url_of(*object, "finalize");
  if (!status || order.finalize.empty()) {
    return bad("the order has no good 'status' or 'finalize'");
  }
  order.status = *status;
  order.names = std::move(*names);
  order.authorizations = std::move(*authorizations);
  order.certificate = url_of(*object, "certificate");
  order.expires = crypto::parse_rfc3339(text_of(*object, "expires"));
  order.error = error_of(*object);
  if (order.status == Status::valid && order.certificate.empty()) {
    return bad("the order is valid and has no 'certificate'");
  }
  return order;
}

base::Result<Authorization> parse_authorization(std::string_view body) {
  auto const object = parse_object(body, "the authorization");
  if (!object) {
    return object.error();
  }
  auto const status = status_of(*object);
  Authorization authorization;
  authorization.name = dns_identifier(object->if_contains("identifier"));
  json::value const* const list = object->if_contains("challenges");
  if (!status || authorization.name.empty() || list == nullptr || !list->is_array() ||
      list->as_array().size() > challenges_max) {
    return bad("the authorization has no good 'status', 'identifier' or 'challenges'");
  }
  authorization.status = *status;
  json::value const* const wildcard = object->if_contains("wildcard");
  authorization.wildcard = wildcard != nullptr && wildcard->is_bool() && wildcard->as_bool();
  for (json::value const& item : list->as_array()) {
    auto challenge = challenge_of(item);
    if (!challenge) {
      return challenge.error();
    }
    authorization.challenges.push_back(std::move(*challenge));
  }
  return authorization;
}

Problem parse_problem(std::string_view body, int status) {
  auto const object = parse_object(body, "the problem");
  if (!object) {
    Problem problem;
    problem.status = status;
    return problem;
  }
  return problem_of(*object, status, true);
}

char const* name(FailureClass failure) {
  switch (failure) {
    case FailureClass::none:
      return "none";
    case FailureClass::transient:
      return "transient";
    case FailureClass::not_before:
      return "rate limited";
    case FailureClass::deferred:
      return "deferred";
    case FailureClass::validation:
      return "validation";
    case FailureClass::policy:
      return "policy";
    case FailureClass::account:
      return "account";
    case FailureClass::ours:
      return "protocol";
  }
  return "unknown";
}

FailureClass classify(Problem const& problem) {
  constexpr std::array<std::pair<std::string_view, FailureClass>, 23> classes{{
      {"badNonce", FailureClass::transient},
      {"serverInternal", FailureClass::transient},
      {"orderNotReady", FailureClass::transient},
      {"rateLimited", FailureClass::not_before},
      {"unauthorized", FailureClass::validation},
      {"dns", FailureClass::validation},
      {"connection", FailureClass::validation},
      {"incorrectResponse", FailureClass::validation},
      {"tls", FailureClass::validation},
      {"caa", FailureClass::policy},
      {"rejectedIdentifier", FailureClass::policy},
      {"unsupportedIdentifier", FailureClass::policy},
      {"invalidProfile", FailureClass::policy},
      {"alreadyReplaced", FailureClass::policy},
      {"compound", FailureClass::policy},
      {"accountDoesNotExist", FailureClass::account},
      {"externalAccountRequired", FailureClass::account},
      {"userActionRequired", FailureClass::account},
      {"invalidContact", FailureClass::account},
      {"unsupportedContact", FailureClass::account},
      {"malformed", FailureClass::ours},
      {"badCSR", FailureClass::ours},
      {"badPublicKey", FailureClass::ours},
  }};
  auto const* const found =
      std::ranges::find(classes, std::string_view(problem.type), &std::pair<std::string_view, FailureClass>::first);
  if (found != classes.end()) {
    return found->second;
  }
  if (problem.status == 429) {
    return FailureClass::not_before;
  }
  return problem.status >= 500 || problem.status == 408 ? FailureClass::transient : FailureClass::ours;
}

}  // namespace protocol
