#include "dns-backend/commands/tenants/sign_up_commands.hpp"

#include "base/net/task.hpp"
#include "base/process/service.hpp"
#include "dns-backend/commands/connection.hpp"
#include "dns-backend/commands/remote/token_file.hpp"
#include "dns-backend/tokens/secret.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {
namespace {

namespace json = boost::json;

constexpr std::size_t invitation_max = 4096;
constexpr int tries = 3;

// Nobody heard the answer, or nobody knows whether there was one: with its key the request may be sent again.
bool is_lost(base::Failure const& failure) {
  return failure.code == net::errc::closed || failure.code == net::errc::timed_out;
}

base::Result<json::object> read_wish(SignUpRequest const& wish) {
  json::object body{{"label", wish.label}};
  if (!wish.primary.empty()) {
    body["primary"] = wish.primary;
  }
  if (!wish.invitation_file.empty()) {
    auto read = process::read_file(wish.invitation_file == "-" ? "/dev/stdin" : wish.invitation_file, invitation_max);
    if (!read) {
      return read.error();
    }
    read->erase(read->find_last_not_of(" \t\r\n") + 1);
    body["invitation"] = *read;
  }
  return body;
}

// Nothing of the request left us.
bool is_unsent(base::Failure const& failure) {
  return failure.code == net::errc::refused || failure.code == net::errc::unresolved ||
         failure.code == net::errc::certificate || failure.code == boost::system::errc::no_such_file_or_directory;
}

// Whether this refusal leaves no doubt that nothing was made with the key. `used`: an earlier request with it may have
// been done, unheard. What is said of the key itself ("at work", "answered before") is said of that one, and so may a
// taken label be.
bool is_nothing_made(net::HttpResponse const& answer, bool used) {
  if (answer.status / 100 != 4 || answer.body.find("Idempotency-Key") != std::string::npos) {
    return false;
  }
  return !used || answer.status == 403 || answer.status == 404 || answer.status == 422;
}

// `used` becomes true when an earlier try may have been done.
base::Result<net::HttpResponse> ask(Connection& connection, std::string const& body, std::string const& key,
                                    bool& used) {
  for (int i = 1;; ++i) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1/sign-up";
    request.body = body;
    request.headers.set("Idempotency-Key", key);
    auto answer = connection.call(std::move(request), "signing up");
    if (answer || i == tries || !is_lost(answer.error())) {
      return answer;
    }
    used = true;
  }
}

// Neither done nor refused for certain: the key stays for the next run.
int unsettled(std::string const& what, std::string const& file) {
  return say(what + "; whether the tenant was made is not known: run the same command again, or remove " + file +
                 " to begin another",
             1);
}

// What it said, without the secret: that is in the file.
int keep(Place const& place, net::HttpResponse const& answer, Output output) {
  json::value body = json_of(answer);
  json::object* const token =
      body.is_object() && body.get_object().contains("token") && body.get_object().at("token").is_object()
          ? &body.get_object().at("token").get_object()
          : nullptr;
  json::value const* const secret = token != nullptr ? token->if_contains("token") : nullptr;
  if (secret == nullptr || !secret->is_string()) {
    return say("the answer to the sign-up cannot be read", 1);
  }
  if (auto const kept = finish_token_file(place.token_file, std::string(secret->get_string())); !kept) {
    return say("the tenant is made, but its token is not written: " + kept.error().what() +
                   "; mend that and run the same command again within the hour",
               1);
  }
  token->erase("token");
  json::value const* const tenant = body.get_object().if_contains("tenant");
  if (output.json || tenant == nullptr || !tenant->is_object()) {
    std::printf("%s\n", json::serialize(body).c_str());
  } else {
    std::printf("%s\n", json::value_to<std::string>(tenant->get_object().at("name")).c_str());
  }
  return 0;
}

}  // namespace

int sign_up(Place const& place, SignUpRequest const& wish, Output output) {
  auto const body = read_wish(wish);
  if (!body) {
    return say("--invitation-file: " + body.error().what(), 2);
  }
  if (place.token_file.empty()) {
    return say("--token-file: is missing: the token is shown once, and written there (or NAVIGATOR_TOKEN_FILE)", 2);
  }
  std::string const fresh = tokens::random_uuid();
  auto const key = begin_token_file(place.token_file, fresh);
  if (!key) {
    return say("--token-file: " + key.error().what(), 2);
  }
  bool used = *key != fresh;
  auto const connection = Connection::open(place, Without::refuse);
  if (!connection && used) {
    return unsettled(connection.error().what(), place.token_file);
  }
  if (!connection) {
    drop_token_file(place.token_file);
    return say(connection.error().what(), 1);
  }
  auto const answer = ask(**connection, json::serialize(*body), *key, used);
  if (!answer && (used || !is_unsent(answer.error()))) {
    return unsettled(answer.error().what(), place.token_file);
  }
  if (answer && answer->status / 100 == 2) {
    return keep(place, *answer, output);
  }
  if (answer && !is_nothing_made(*answer, used)) {
    return unsettled(refusal_text(*answer), place.token_file);
  }
  drop_token_file(place.token_file);
  return answer ? say_refusal(*answer) : say(answer.error().what(), 1);
}

}  // namespace commands
