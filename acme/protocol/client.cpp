#include "acme/protocol/client.hpp"

#include "acme/crypto/encoding.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <iterator>

namespace protocol {
namespace {

namespace json = boost::json;

constexpr std::size_t nonces_max = 64;
constexpr unsigned bad_nonces_max = 10;
constexpr std::chrono::hours directory_age{6};

net::HttpClientSettings http_settings(ClientSettings const& settings) {
  net::HttpClientSettings http;
  http.tls.ca_file = settings.ca_bundle;
  http.response_limit = 1U << 20U;
  http.user_agent = "sovereign-navigator/" SOVEREIGN_VERSION;
  return http;
}

Answer answer_of(net::HttpResponse response) {
  Answer answer;
  answer.status = response.status;
  answer.location = std::string(response.headers.get("Location"));
  answer.retry_after = std::string(response.headers.get("Retry-After"));
  for (std::string_view const value : response.headers.all("Link")) {
    auto found = links(value, "alternate");
    std::ranges::move(found, std::back_inserter(answer.alternates));
    if (auto const next = links(value, "next"); !next.empty()) {
      answer.next = next.front();
    }
  }
  answer.body = std::move(response.body);
  return answer;
}

// "https://ca.example:14000" of a URL.
std::string_view origin_of(std::string_view url) {
  std::size_t const host = url.find("://");
  return url.substr(0, url.find('/', host == std::string_view::npos ? 0 : host + 3));
}

bool is_problem(Answer const& answer, std::string_view type) {
  return answer.status >= 400 && parse_problem(answer.body, answer.status).type == type;
}

}  // namespace

// Frees the turn whatever way the registration ends, cancellation included.
class Client::Turn {
 public:
  explicit Turn(std::shared_ptr<Registration> registration) : registration_(std::move(registration)) {
    registration_->running = true;
  }
  ~Turn() {
    registration_->running = false;
    registration_->ended.notify();
  }
  Turn(Turn const&) = delete;
  Turn& operator=(Turn const&) = delete;

 private:
  std::shared_ptr<Registration> registration_;
};

Client::Client(net::asio::any_io_executor executor, ClientSettings settings, crypto::Key account_key,
               std::string account_url)
    : settings_(std::move(settings)),
      key_(std::move(account_key)),
      account_url_(std::move(account_url)),
      http_(executor, http_settings(settings_)),
      registration_(std::make_shared<Registration>(executor)) {}

net::Task<base::Result<Directory>> Client::directory() {
  if (directory_ && std::chrono::steady_clock::now() < directory_until_) {
    co_return *directory_;
  }
  net::HttpRequest request;
  ++counters_.requests;
  auto const response = co_await http_.send(settings_.directory_url, std::move(request), settings_.deadline);
  if (!response) {
    co_return response.error();
  }
  if (response->status != 200) {
    std::string const detail = parse_problem(response->body, response->status).text();
    co_return base::fail(errc::unavailable, "the directory " + settings_.directory_url + ": " + detail);
  }
  auto parsed = parse_directory(response->body);
  if (parsed) {
    // An account whose URL is elsewhere is found again by its key: newAccount answers with the present one.
    if (!account_url_.empty() && origin_of(account_url_) != origin_of(parsed->new_account)) {
      account_url_.clear();
    }
    directory_ = *parsed;
    directory_until_ = std::chrono::steady_clock::now() + directory_age;
  }
  co_return parsed;
}

net::Task<base::Result<std::string>> Client::account() {
  while (registration_->running) {
    co_await registration_->ended.wait(settings_.deadline);
  }
  if (!account_url_.empty()) {
    co_return account_url_;
  }
  Turn const turn(registration_);
  co_return co_await register_account();
}

net::Task<base::Result<Answer>> Client::post(std::string url, std::optional<std::string> payload) {
  for (bool registered_again = false;; registered_again = true) {
    auto const kid = co_await account();
    if (!kid) {
      co_return kid.error();
    }
    auto answer = co_await signed_post(url, payload.value_or(""), *kid);
    if (!answer || !is_problem(*answer, "accountDoesNotExist")) {
      co_return answer;
    }
    if (registered_again) {
      co_return base::fail(errc::no_account, "the CA forgot the account " + *kid + " right after it was registered");
    }
    // Another call may have registered it meanwhile: forget only what this call used.
    if (account_url_ == *kid) {
      account_url_.clear();
    }
  }
}

net::Task<base::Result<Answer>> Client::signed_post(std::string url, std::string payload, std::string kid) {
  co_return co_await signed_post_by(key_, std::move(url), std::move(payload), std::move(kid));
}

net::Task<base::Result<Answer>> Client::signed_post_by(crypto::Key key, std::string url, std::string payload,
                                                       std::string kid) {
  for (unsigned tries = 0; tries <= bad_nonces_max; ++tries) {
    auto nonce = co_await take_nonce();
    if (!nonce) {
      co_return nonce.error();
    }
    auto body = crypto::sign_jws(key, crypto::JwsHeader{url, std::move(*nonce), kid}, payload);
    if (!body) {
      co_return body.error();
    }
    net::HttpRequest request;
    request.method = "POST";
    request.headers.set("Content-Type", "application/jose+json");
    request.body = std::move(*body);
    ++counters_.requests;
    auto response = co_await http_.send(url, std::move(request), settings_.deadline);
    if (!response) {
      directory_.reset();  // its places may have moved
      co_return response.error();
    }
    keep_nonce(*response);
    if (response->status == 404) {
      directory_.reset();
    }
    Answer answer = answer_of(std::move(*response));
    if (!is_problem(answer, "badNonce")) {
      co_return answer;
    }
    ++counters_.bad_nonces;
  }
  co_return base::fail(errc::bad_nonces, "POST " + url);
}

net::Task<base::Result<std::string>> Client::take_nonce() {
  if (!nonces_.empty()) {
    std::string nonce = std::move(nonces_.back());
    nonces_.pop_back();
    co_return nonce;
  }
  auto const places = co_await directory();
  if (!places) {
    co_return places.error();
  }
  net::HttpRequest request;
  request.method = "HEAD";
  ++counters_.requests;
  auto const response = co_await http_.send(places->new_nonce, std::move(request), settings_.deadline);
  if (!response) {
    co_return response.error();
  }
  std::string const nonce(response->headers.get("Replay-Nonce"));
  if (nonce.empty()) {
    co_return base::fail(errc::bad_message, "newNonce answered without a Replay-Nonce");
  }
  co_return nonce;
}

void Client::keep_nonce(net::HttpResponse const& response) {
  std::string_view const nonce = response.headers.get("Replay-Nonce");
  if (!nonce.empty() && nonce.size() <= 1024 && nonces_.size() < nonces_max) {
    nonces_.emplace_back(nonce);
  }
}

net::Task<base::Result<std::string>> Client::register_account() {
  auto const places = co_await directory();
  if (!places) {
    co_return places.error();
  }
  if (places->external_account_required && !settings_.external) {
    co_return base::fail(errc::refused, "the CA demands an external account (eab kid and hmac key) and none is set");
  }
  // A binding may be good for one registration only, so an account that exists already is looked for first.
  auto answer = co_await new_account(places->new_account, settings_.external.has_value());
  if (answer && is_problem(*answer, "accountDoesNotExist")) {
    answer = co_await new_account(places->new_account, false);
  }
  if (!answer) {
    co_return answer.error();
  }
  if ((answer->status != 200 && answer->status != 201) || answer->location.empty()) {
    Problem const problem = parse_problem(answer->body, answer->status);
    FailureClass const kind = classify(problem);
    bool const later = kind == FailureClass::transient || kind == FailureClass::not_before;
    co_return base::fail(later ? errc::unavailable : errc::refused, "newAccount: " + problem.text());
  }
  ++counters_.registrations;
  account_url_ = answer->location;
  co_return account_url_;
}

net::Task<base::Result<Client::RenewalInfo>> Client::renewal_info(std::string ari_id) {
  auto const places = co_await directory();
  if (!places) {
    co_return places.error();
  }
  if (places->renewal_info.empty()) {
    co_return base::fail(errc::unavailable, "the CA offers no renewal information");
  }
  net::HttpRequest request;
  ++counters_.requests;
  auto const url = places->renewal_info + "/" + ari_id;
  auto const response = co_await http_.send(url, std::move(request), settings_.deadline);
  if (!response) {
    co_return response.error();
  }
  if (response->status != 200) {
    co_return base::fail(errc::unavailable, "renewalInfo: " + parse_problem(response->body, response->status).text());
  }
  auto window = parse_renewal_info(response->body);
  if (!window) {
    co_return window.error();
  }
  co_return RenewalInfo{std::move(*window), std::string(response->headers.get("Retry-After"))};
}

net::Task<base::Result<void>> Client::change_key(crypto::Key next) {
  auto const places = co_await directory();
  if (!places) {
    co_return places.error();
  }
  auto const url = co_await account();
  if (!url) {
    co_return url.error();
  }
  if (places->key_change.empty()) {
    co_return base::fail(errc::refused, "the CA offers no change of an account's key");
  }
  auto payload = crypto::key_change_payload(places->key_change, *url, key_, next);
  if (!payload) {
    co_return payload.error();
  }
  auto const answer = co_await signed_post(places->key_change, std::move(*payload), *url);
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status != 200) {
    Problem const problem = parse_problem(answer->body, answer->status);
    bool const later = classify(problem) == FailureClass::transient;
    co_return base::fail(later ? errc::unavailable : errc::refused, "keyChange: " + problem.text());
  }
  key_ = std::move(next);
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Client::revoke(std::string der, std::int64_t reason) {
  auto const places = co_await directory();
  if (!places) {
    co_return places.error();
  }
  if (places->revoke_cert.empty()) {
    co_return base::fail(errc::refused, "the CA offers no revocation");
  }
  json::object const body{{"certificate", crypto::base64url(der)}, {"reason", reason}};
  co_return co_await change("revokeCert", places->revoke_cert, json::serialize(body));
}

net::Task<base::Result<void>> Client::agree_to_terms() {
  auto const url = co_await account();
  if (!url) {
    co_return url.error();
  }
  std::string payload = R"({"termsOfServiceAgreed":true})";
  co_return co_await change("account", *url, std::move(payload));
}

// A POST of which only the success matters.
net::Task<base::Result<void>> Client::change(std::string what, std::string url, std::string payload) {
  std::optional<std::string> body(std::move(payload));
  auto const answer = co_await post(std::move(url), std::move(body));
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status == 200 || is_problem(*answer, "alreadyRevoked")) {
    co_return base::Result<void>();
  }
  Problem const problem = parse_problem(answer->body, answer->status);
  FailureClass const kind = classify(problem);
  bool const later = kind == FailureClass::transient || kind == FailureClass::not_before;
  co_return base::fail(later ? errc::unavailable : errc::refused, what + ": " + problem.text());
}

net::Task<base::Result<std::optional<std::string>>> Client::find_account(crypto::Key key) {
  auto const places = co_await directory();
  if (!places) {
    co_return places.error();
  }
  std::string const payload = R"({"onlyReturnExisting":true})";
  auto const answer = co_await signed_post_by(std::move(key), places->new_account, payload, std::string());
  if (!answer) {
    co_return answer.error();
  }
  if (is_problem(*answer, "accountDoesNotExist")) {
    co_return std::optional<std::string>();
  }
  if (answer->status != 200 || answer->location.empty()) {
    co_return base::fail(errc::refused, "newAccount: " + parse_problem(answer->body, answer->status).text());
  }
  co_return std::optional<std::string>(answer->location);
}

net::Task<base::Result<Answer>> Client::new_account(std::string url, bool only_existing) {
  json::object payload;
  if (only_existing) {
    payload["onlyReturnExisting"] = true;
  } else {
    payload["termsOfServiceAgreed"] = true;
    if (!settings_.contacts.empty()) {
      payload["contact"] = json::value_from(settings_.contacts);
    }
    if (settings_.external) {
      auto const binding = crypto::bind_external_account(*settings_.external, url, key_);
      if (!binding) {
        co_return binding.error();
      }
      payload["externalAccountBinding"] = json::parse(*binding);
    }
  }
  co_return co_await signed_post(url, json::serialize(payload), std::string());
}

}  // namespace protocol
