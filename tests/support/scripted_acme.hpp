// A certificate authority after RFC 8555 in the test's own process: real checks of every signed request, real
// certificates, and a knob for each misfortune. What it lacks: HTTP and TLS challenges.
//
// Threads: one loop, the test's.
#pragma once

#include "acme/crypto/certificate.hpp"
#include "acme/crypto/encoding.hpp"
#include "acme/crypto/jws.hpp"
#include "base/http_server/http_server.hpp"
#include "tests/support/account_proofs.hpp"
#include "tests/support/scripted_knobs.hpp"
#include "tests/support/test_ca.hpp"

#include <openssl/hmac.h>
#include <boost/json.hpp>

#include <algorithm>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace test {

class ScriptedAcme {
 public:
  using Knobs = ScriptedKnobs;
  using Counters = ScriptedCounters;

  struct Place {
    std::string address = "127.0.0.1:0";
    std::optional<net::Identity> identity;     // of localhost; without: HTTP
    std::function<void(net::Router&)> routes;  // beside the CA's own
    std::string base;                          // of its URLs, where it is behind a proxy
  };
  // `answers(name, value)`: does the DNS carry this TXT value?
  ScriptedAcme(net::asio::any_io_executor executor, std::function<bool(std::string, std::string)> answers)
      : ScriptedAcme(std::move(executor), std::move(answers), Place()) {}
  ScriptedAcme(net::asio::any_io_executor executor, std::function<bool(std::string, std::string)> answers,
               Place const& place)
      : answers_(std::move(answers)), server_(executor, router_, {}) {
    add_routes();
    if (place.routes) {
      place.routes(router_);
    }
    auto const listening = place.identity ? server_.listen_tls(place.address, {*place.identity, {}, {}, false})
                                          : server_.listen_tcp(place.address);
    if (!listening) {
      throw std::runtime_error(listening.error().what());
    }
    base_ = (place.identity ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(server_.local_port());
    base_ = place.base.empty() ? base_ : place.base;
  }

  [[nodiscard]] std::string directory_url() const { return base_ + "/dir"; }
  [[nodiscard]] std::uint16_t port() const { return server_.local_port(); }
  // As after a restart without memory.
  void forget_everything() {
    accounts_.clear();
    orders_.clear();
    nonces_.clear();
  }
  void stop() { server_.stop(); }

  Knobs knobs;
  Counters counters;

 private:
  using Key = AccountKey;
  using Request = net::HttpRequest;
  using Response = net::HttpResponse;

  struct Account {
    std::string thumbprint;
    Key key;
  };
  struct Authorization {
    std::string name;  // without "*."
    bool wildcard = false;
    std::string status = "pending", challenge = "pending", token = "", error = "";
    std::string kind = "";  // of the challenge that was begun
    std::string problem = "dns";
  };
  struct Order {
    std::string account, status = "pending", certificate, alternate;
    std::vector<std::string> names;
    std::vector<Authorization> authorizations;
    int processing = 0;
    bool replaces = false;
    crypto::Time ready{};
  };
  struct Signed {  // a request whose signature held
    std::string account;
    Key key;
    std::string thumbprint;
    std::string payload;
  };

  void add_routes() {
    router_.add("GET", "/dir", [this](Request request) { return reply(directory(std::move(request))); });
    router_.add("GET", "/nonce", [this](Request) { return reply(with_nonce(Response::text(200, ""))); });
    router_.add("GET", "/renewal-info/{id}", [this](Request request) { return reply(renewal_info(request)); });
    for (auto const& [kind, handler] : handlers()) {
      bool const alone = kind == "account" || kind == "new-order" || kind == "key-change" || kind == "revoke";
      std::string const pattern = alone ? "/" + kind : kind == "update" ? "/account/{id}" : "/" + kind + "/{id}";
      router_.add("POST", pattern, [this, kind = kind, handler = handler](Request request) {
        return reply(post(kind, handler, std::move(request)), knobs.silent.contains(kind));
      });
    }
  }

  using Handle = Response (ScriptedAcme::*)(Signed const&, Request const&);
  static std::map<std::string, Handle> handlers() {
    return {{"account", &ScriptedAcme::account},     {"new-order", &ScriptedAcme::new_order},
            {"order", &ScriptedAcme::order},         {"authz", &ScriptedAcme::authorization},
            {"challenge", &ScriptedAcme::challenge}, {"finalize", &ScriptedAcme::finalize},
            {"cert", &ScriptedAcme::certificate},    {"alternate", &ScriptedAcme::alternate},
            {"key-change", &ScriptedAcme::key_change}, {"revoke", &ScriptedAcme::revoke},
            {"orders", &ScriptedAcme::list_orders},  {"update", &ScriptedAcme::update}};
  }

  static net::Task<Response> reply(Response response, bool silent = false) {
    co_await net::wait_for(std::chrono::seconds(silent ? 80 : 0));  // until its client goes
    co_return response;
  }

  Response directory(Request const& /*request*/) {
    boost::json::object object{{"newNonce", base_ + "/nonce"},
                               {"newAccount", base_ + "/account"},
                               {"newOrder", base_ + "/new-order"},
                               {"keyChange", base_ + "/key-change"},
                               {"revokeCert", base_ + "/revoke"},
                               {"meta", {{"externalAccountRequired", !knobs.eab_kid.empty()}}}};
    if (knobs.window) {
      object["renewalInfo"] = base_ + "/renewal-info";
    }
    boost::json::object profiles;
    for (std::string const& name : knobs.profiles) {
      profiles[name] = "https://ca.example/profiles/" + name;
    }
    object["meta"].as_object()["profiles"] = profiles;
    if (!knobs.caa_identity.empty()) {
      object["meta"].as_object()["caaIdentities"] = boost::json::array{boost::json::value(knobs.caa_identity)};
    }
    return Response::json(200, boost::json::serialize(object));
  }

  Response with_nonce(Response response) {
    std::string const nonce = "nonce-" + std::to_string(++serial_);
    nonces_.insert(nonce);
    response.headers.set("Replay-Nonce", nonce);
    return response;
  }

  Response problem(int status, std::string const& type, std::string const& detail) {
    ++counters.bad_requests;
    boost::json::object const body{{"type", "urn:ietf:params:acme:error:" + type}, {"detail", detail}};
    return Response::json(status, boost::json::serialize(body));
  }

  Response post(std::string const& kind, Handle handler, Request request) {
    Signed checked;
    if (auto refused = check(request, kind == "account", checked)) {
      return with_nonce(std::move(*refused));
    }
    Response response = knobs.refuse[kind]-- > 0 ? problem(401, "unauthorized", "it is not taken")
                                                 : (this->*handler)(checked, request);
    response = knobs.refuse_after[kind]-- > 0 ? problem(401, "unauthorized", "not the account's key") : response;
    if (knobs.lose[kind] > 0) {
      --knobs.lose[kind];
      response = Response::text(503, "the answer got lost");
    }
    return with_nonce(std::move(response));
  }

  // RFC 8555 section 6: content type, algorithm, nonce, url, jwk or kid, signature.
  std::optional<Response> check(Request const& request, bool by_key, Signed& out) {
    using crypto::from_base64url;
    boost::system::error_code error;
    auto const jws = boost::json::parse(request.body, error);
    if (error || request.headers.get("Content-Type") != "application/jose+json") {
      return problem(415, "malformed", "not a JWS");
    }
    auto const text = [&jws](char const* key) { return std::string(jws.at(key).as_string()); };
    auto const header = boost::json::parse(*from_base64url(text("protected"))).as_object();
    if (header.at("alg") != "ES256" || header.contains("jwk") == header.contains("kid") ||
        header.contains("jwk") != by_key) {
      return problem(400, "malformed", "alg, jwk or kid");
    }
    if (std::string(header.at("url").as_string()) != base_ + request.target) {
      return problem(401, "unauthorized", "url differs from the request's");
    }
    bool const known = nonces_.erase(std::string(header.at("nonce").as_string())) == 1;
    if (!known || knobs.bad_nonces > 0) {
      knobs.bad_nonces -= known ? 1 : 0;
      return problem(400, "badNonce", "unknown nonce");
    }
    if (by_key) {
      out.key = key_of(header.at("jwk").as_object(), out.thumbprint);
    } else {
      out.account = std::string(header.at("kid").as_string());
      auto const found = accounts_.find(out.account);
      if (found == accounts_.end()) {
        return problem(400, "accountDoesNotExist", "unknown account");
      }
      out.key = found->second.key;
      out.thumbprint = found->second.thumbprint;
    }
    if (!verifies(out.key, text("protected") + "." + text("payload"), *from_base64url(text("signature")))) {
      return problem(400, "malformed", "the signature does not hold");
    }
    out.payload = *from_base64url(text("payload"));
    return std::nullopt;
  }

  Response renewal_info(Request const& request) {
    ++counters.renewal_infos;
    if (request.parameters.at("id").find('.') == std::string::npos || !knobs.window) {
      return problem(404, "malformed", "no such certificate");
    }
    boost::json::object const body{
        {"suggestedWindow", {{"start", rfc3339(knobs.window->first)}, {"end", rfc3339(knobs.window->second)}}},
        {"explanationURL", "https://ca.example/why"}};
    Response response = Response::json(200, boost::json::serialize(body));
    if (!knobs.retry_after.empty()) {
      response.headers.set("Retry-After", knobs.retry_after);
    }
    return response;
  }

  // RFC 8555 section 7.3.5: the new key signs, without a nonce, the account and the key it replaces.
  Response key_change(Signed const& by, Request const& request) {
    auto const text = [](boost::json::value const& value) { return *crypto::from_base64url(value.as_string()); };
    auto const inner = boost::json::parse(by.payload);
    auto const header = boost::json::parse(text(inner.at("protected"))).as_object();
    auto const payload = boost::json::parse(text(inner.at("payload")));
    std::string thumbprint;
    std::string old_thumbprint;
    Key const next = header.contains("jwk") ? key_of(header.at("jwk").as_object(), thumbprint) : nullptr;
    key_of(payload.at("oldKey").as_object(), old_thumbprint);
    std::string const input =
        std::string(inner.at("protected").as_string()) + "." + std::string(inner.at("payload").as_string());
    bool const good = next != nullptr && !header.contains("nonce") && old_thumbprint == by.thumbprint &&
                      std::string(header.at("url").as_string()) == base_ + request.target &&
                      std::string(payload.at("account").as_string()) == by.account &&
                      verifies(next, input, text(inner.at("signature")));
    if (!good) {
      return problem(400, "malformed", "the inner request does not hold");
    }
    ++counters.key_changes;
    accounts_[by.account] = {thumbprint, next};
    return Response::json(200, "{}");
  }

  // RFC 8555 section 7.6, by the account: of a certificate that was issued here, once.
  Response revoke(Signed const& by, Request const& /*request*/) {
    auto const payload = boost::json::parse(by.payload).as_object();
    std::string const der = *crypto::from_base64url(payload.at("certificate").as_string());
    auto const issued = issued_.find(crypto::sha256(der));
    if (issued == issued_.end()) {
      return problem(404, "malformed", "no such certificate");
    }
    if (std::exchange(issued->second, true)) {
      return problem(400, "alreadyRevoked", "it is revoked");
    }
    counters.revocations.push_back(payload.at("reason").as_int64());
    return Response::text(200, "");
  }

  Response update(Signed const& by, Request const& request) {
    auto const payload = boost::json::parse(by.payload.empty() ? "{}" : by.payload).as_object();
    if (base_ + request.target != by.account) {
      return problem(403, "unauthorized", "another account");
    }
    if (payload.contains("termsOfServiceAgreed")) {
      ++counters.agreements;
      knobs.new_terms = false;
    }
    boost::json::object body{{"status", "valid"}};
    if (knobs.orders_a_page != 0) {
      body["orders"] = base_ + "/orders/1";
    }
    return Response::json(200, boost::json::serialize(body));
  }

  // RFC 8555 section 7.1.2.1, the oldest first.
  Response list_orders(Signed const& by, Request const& request) {
    std::vector<std::string> urls;
    for (auto const& [id, order] : orders_) {
      if (order.account == by.account && order.status != "invalid") {
        urls.push_back(base_ + "/order/" + id);
      }
    }
    std::size_t const page = std::stoul(request.parameters.at("id"));
    boost::json::array shown;
    for (std::size_t i = (page - 1) * knobs.orders_a_page; i < std::min(page * knobs.orders_a_page, urls.size()); ++i) {
      shown.emplace_back(urls[i]);
    }
    Response response = Response::json(200, boost::json::serialize(boost::json::object{{"orders", shown}}));
    if (page * knobs.orders_a_page < urls.size()) {
      response.headers.set("Link", "<" + base_ + "/orders/" + std::to_string(page + 1) + ">;rel=\"next\"");
    }
    return response;
  }

  Response account(Signed const& by, Request const& /*request*/) {
    auto const payload = boost::json::parse(by.payload).as_object();
    auto const known = std::ranges::find_if(
        accounts_, [&](auto const& item) { return item.second.thumbprint == by.thumbprint; });
    bool const exists = known != accounts_.end();
    std::string const url = exists ? known->first : base_ + "/account/" + by.thumbprint + knobs.account_mark;
    if (!exists && payload.contains("onlyReturnExisting")) {
      return problem(400, "accountDoesNotExist", "no such account");
    }
    if (!exists && !knobs.eab_kid.empty()) {
      if (!payload.contains("externalAccountBinding") || !bound(payload.at("externalAccountBinding").as_object())) {
        return problem(403, "unauthorized", "external account binding");
      }
      ++counters.bindings;
    }
    counters.accounts += exists ? 0 : 1;
    accounts_[url] = {by.thumbprint, by.key};
    Response response = Response::json(exists ? 200 : 201, R"({"status":"valid"})");
    response.headers.set("Location", url);
    return response;
  }

  bool bound(boost::json::object const& jws) const {
    auto const header = boost::json::parse(*crypto::from_base64url(jws.at("protected").as_string())).as_object();
    std::string const secret = *crypto::from_base64url(knobs.eab_key);
    std::string const input =
        std::string(jws.at("protected").as_string()) + "." + std::string(jws.at("payload").as_string());
    unsigned char mac[32];
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<unsigned char const*>(input.data()), input.size(), mac, &size);
    return header.at("kid") == boost::json::string(knobs.eab_kid) && header.at("alg") == "HS256" &&
           std::string(header.at("url").as_string()) == base_ + "/account" && !header.contains("nonce") &&
           std::string(jws.at("signature").as_string()) == crypto::base64url({reinterpret_cast<char*>(mac), size});
  }

  std::optional<Response> over_limit(Signed const& by, std::vector<std::string> const& names, bool replaces) {
    auto const refused = knobs.limits.ordered(by.account, names, replaces, crypto::wall_now());
    if (!refused) {
      return std::nullopt;
    }
    ++counters.limited;
    Response response = problem(429, "rateLimited", refused->detail);
    response.headers.set("Retry-After", std::to_string(refused->after.count()));
    return response;
  }

  Response terms() {
    ++counters.bad_requests;
    boost::json::object const body{{"type", "urn:ietf:params:acme:error:userActionRequired"},
                                   {"detail", "the terms of service changed"},
                                   {"instance", "https://ca.example/agree"}};
    return Response::json(403, boost::json::serialize(body));
  }

  Response new_order(Signed const& by, Request const& /*request*/) {
    if (knobs.new_terms) {
      return terms();
    }
    if (knobs.rate_limited > 0) {
      --knobs.rate_limited;
      Response response = problem(429, "rateLimited", "too many new orders");
      response.headers.set("Retry-After", "120");
      return response;
    }
    Order made;
    made.account = by.account;
    auto const payload = boost::json::parse(by.payload);
    if (payload.as_object().contains("replaces")) {
      if (!knobs.refuse_replaces.empty()) {
        bool const plain = knobs.refuse_replaces == "malformed";
        return problem(plain ? 400 : 409, knobs.refuse_replaces, "the field replaces was not taken");
      }
      counters.replaces.emplace_back(payload.at("replaces").as_string());
    }
    if (payload.as_object().contains("profile")) {
      std::string const profile(payload.at("profile").as_string());
      if (knobs.refuse_profiles || !knobs.profiles.contains(profile)) {
        return problem(400, "invalidProfile", "not for this account");
      }
      counters.profiles.push_back(profile);
    }
    for (auto const& item : payload.at("identifiers").as_array()) {
      std::string const name(item.at("value").as_string());
      bool const wildcard = name.starts_with("*.");
      made.names.push_back(name);
      made.authorizations.push_back({wildcard ? name.substr(2) : name, wildcard});
      made.authorizations.back().token = "token-" + std::to_string(++serial_);
    }
    made.replaces = payload.as_object().contains("replaces");
    if (auto refused = over_limit(by, made.names, made.replaces)) {
      return std::move(*refused);
    }
    std::ranges::reverse(made.authorizations);  // clients must match by content
    std::string const id = std::to_string(1000000 + ++serial_);  // as text, too, in the order of their making
    orders_[id] = made;
    ++counters.orders;
    Response response = show(201, id);
    response.headers.set("Location", base_ + "/order/" + id);
    return response;
  }

  Response show(int status, std::string const& id) {
    Order const& it = orders_.at(id);
    boost::json::array names;
    boost::json::array urls;
    for (std::string const& name : it.names) {
      names.push_back({{"type", "dns"}, {"value", name}});
    }
    for (std::size_t i = 0; i < it.authorizations.size(); ++i) {
      urls.emplace_back(base_ + "/authz/" + id + "." + std::to_string(i));
    }
    boost::json::object body{{"status", it.status},
                             {"identifiers", names},
                             {"authorizations", urls},
                             {"finalize", base_ + "/finalize/" + id},
                             {"expires", "2099-01-01T00:00:00Z"}};
    if (it.status == "valid") {
      body["certificate"] = base_ + "/cert/" + id;
    }
    Response response = Response::json(status, boost::json::serialize(body));
    if (it.status == "processing" && !knobs.processing_retry_after.empty()) {
      response.headers.set("Retry-After", knobs.processing_retry_after);
    }
    return response;
  }

  Response order(Signed const& by, Request const& request) {
    auto const found = orders_.find(request.parameters.at("id"));
    if (found == orders_.end() || found->second.account != by.account) {
      return problem(404, "malformed", "no such order");
    }
    Order& it = found->second;
    ++counters.polls;
    if (it.status == "processing" && it.processing-- <= 0 && crypto::wall_now() >= it.ready) {
      it.status = "valid";
    }
    return show(200, found->first);
  }

  // "ORDER.INDEX" -> its authorization; nullptr when there is none.
  Authorization* find(Request const& request, Order** of = nullptr) {
    std::string const id = request.parameters.at("id");
    auto const found = orders_.find(id.substr(0, id.find('.')));
    if (found == orders_.end()) {
      return nullptr;
    }
    if (of != nullptr) {
      *of = &found->second;
    }
    return &found->second.authorizations.at(std::stoul(id.substr(id.find('.') + 1)));
  }

  Response authorization(Signed const& by, Request const& request) {
    Authorization* const it = find(request);
    if (it == nullptr) {
      return problem(404, "malformed", "no such authorization");
    }
    if (!by.payload.empty()) {
      ++counters.deactivations;
      it->status = "deactivated";
    }
    boost::json::array challenges{{{"type", "http-01"}}};
    for (std::string const& kind : knobs.challenges) {
      bool const begun = it->kind.empty() || it->kind == kind;
      boost::json::object challenge{{"type", kind},
                                    {"status", begun ? it->challenge : "pending"},
                                    {"url", base_ + "/challenge/" + request.parameters.at("id") + "." + kind}};
      if (kind == "dns-persist-01") {
        challenge["issuer-domain-names"] = boost::json::array{"ca.example", "other-ca.example"};
      } else {
        challenge["token"] = it->token;
      }
      if (begun && !it->error.empty()) {
        challenge["error"] = {{"type", "urn:ietf:params:acme:error:" + it->problem}, {"detail", it->error}};
      }
      challenges.push_back(challenge);
    }
    boost::json::object body{{"status", it->status},
                             {"identifier", {{"type", "dns"}, {"value", it->name}}},
                             {"challenges", challenges}};
    if (it->wildcard) {
      body["wildcard"] = true;
    }
    return Response::json(200, boost::json::serialize(body));
  }

  Response challenge(Signed const& by, Request const& request) {
    Order* of = nullptr;
    Authorization* const it = find(request, &of);
    if (it == nullptr || by.payload != "{}" || it->challenge != "pending") {
      return problem(400, "malformed", "the challenge is not pending, or the payload is not {}");
    }
    ++counters.challenges;
    std::string const id = request.parameters.at("id");
    it->kind = id.substr(id.find('.', id.find('.') + 1) + 1);
    ++counters.begun[it->kind];
    bool good = !knobs.deny && proved(*it, by);
    it->error = good ? "" : "no such TXT value";
    if (good && knobs.caa) {
      it->error = caa_forbids(knobs.caa, it->name, it->wildcard, knobs.caa_identity, by.account, it->kind);
      it->problem = it->error.empty() ? "dns" : "caa";
      good = it->error.empty();
      counters.caa_refusals += good ? 0 : 1;
    }
    it->status = it->challenge = good ? "valid" : "invalid";
    if (!good) {
      ++counters.invalid;
      knobs.limits.failed(it->name, crypto::wall_now());
    }
    bool const all = std::ranges::all_of(of->authorizations, [](auto const& a) { return a.status == "valid"; });
    of->status = !good ? "invalid" : all ? "ready" : of->status;
    return Response::json(200, "{}");
  }

  // Written from the drafts alone, not by the code under test.
  bool proved(Authorization const& it, Signed const& by) {
    if (it.kind == "dns-persist-01") {
      std::string const value = "ca.example; accounturi=" + by.account;
      std::string const at = "_validation-persist." + it.name;
      return answers_(at, value + "; policy=wildcard") || (!it.wildcard && answers_(at, value));
    }
    std::string const label = it.kind == "dns-account-01" ? "_" + account_label(by.account) + "." : "";
    return answers_(label + "_acme-challenge." + it.name, crypto::dns01_value(it.token, by.thumbprint));
  }

  Response finalize(Signed const& by, Request const& request) {
    std::string const id = request.parameters.at("id");
    Order& it = orders_.at(id);
    if (it.status != "ready") {
      return problem(403, "orderNotReady", it.status);
    }
    auto const payload = boost::json::parse(by.payload);
    std::string const der = *crypto::from_base64url(payload.at("csr").as_string());
    auto const* cursor = reinterpret_cast<unsigned char const*>(der.data());
    std::unique_ptr<X509_REQ, void (*)(X509_REQ*)> const csr(
        d2i_X509_REQ(nullptr, &cursor, static_cast<long>(der.size())), X509_REQ_free);
    if (csr == nullptr || X509_REQ_verify(csr.get(), X509_REQ_get0_pubkey(csr.get())) != 1) {
      return problem(400, "badCSR", "the signing request does not verify");
    }
    ++counters.finalizes;
    crypto::Time const now = crypto::wall_now();
    std::string const leaf =
        ca_.leaf(X509_REQ_get0_pubkey(csr.get()), {it.names, now - std::chrono::seconds(1), now + knobs.lifetime});
    issued_[crypto::sha256(*crypto::leaf_der(leaf))] = false;
    knobs.limits.issued(it.names, it.replaces, now);
    it.certificate = leaf + ca_.certificate();
    it.alternate = leaf + other_root_.cross_signed(ca_);
    it.status = "processing";
    it.processing = knobs.processing;
    it.ready = now + knobs.processing_for;
    return show(200, id);
  }

  Response certificate(Signed const& /*by*/, Request const& request) {
    ++counters.certificates;
    Response response;
    response.headers.set("Content-Type", "application/pem-certificate-chain");
    response.body = orders_.at(request.parameters.at("id")).certificate;
    if (knobs.alternate) {
      response.headers.items.emplace_back("Link", "<" + base_ + "/dir>;rel=\"index\"");
      response.headers.items.emplace_back(
          "Link", "<" + base_ + "/alternate/" + request.parameters.at("id") + ">;rel=\"alternate\"");
    }
    return response;
  }

  Response alternate(Signed const& /*by*/, Request const& request) {
    Response response;
    response.headers.set("Content-Type", "application/pem-certificate-chain");
    response.body = orders_.at(request.parameters.at("id")).alternate;
    return response;
  }

  std::function<bool(std::string, std::string)> answers_;
  net::Router router_;
  net::HttpServer server_;
  std::string base_;
  TestCa ca_;
  TestCa other_root_{"Other Root"};
  std::map<std::string, Account> accounts_;
  std::map<std::string, Order> orders_;
  std::set<std::string> nonces_;
  std::map<std::string, bool> issued_;  // digest of a leaf -> it is revoked
  int serial_ = 0;
};

}  // namespace test
