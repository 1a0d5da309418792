#include "mesh/enrolment/enroller.hpp"

#include "base/http_client/http_client.hpp"
#include "base/process/service.hpp"
#include "mesh/enrolment/registry.hpp"
#include "mesh/internal_ca/credentials.hpp"
#include "mesh/signed_world/signed_world.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <filesystem>

namespace enrolment {

namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds deadline{10000};

std::string text_of(json::object const& object, std::string_view key) {
  auto const* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// The JSON object of a 2xx answer; errc::refused with the problem's detail otherwise.
base::Result<json::object> object_of(base::Result<net::HttpResponse> const& answer, std::string const& what) {
  if (!answer) {
    return answer.error();
  }
  boost::system::error_code bad;
  json::value const value = json::parse(answer->body, bad);
  json::object const object = !bad && value.is_object() ? value.get_object() : json::object();
  if (answer->status / 100 != 2) {
    std::string const detail = text_of(object, "detail");
    return base::fail(errc::refused,
                      what + ": status " + std::to_string(answer->status) + (detail.empty() ? "" : ", " + detail));
  }
  if (bad || !value.is_object()) {
    return base::fail(errc::refused, what + ": the answer is no JSON object");
  }
  return object;
}

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// The root may be written anew for the same key; another one would be somebody else's word for everything.
base::Result<void> check_root(std::string const& ca_file, std::string const& ca_pem) {
  auto const present = process::read_file(ca_file, 65536);
  auto const here = present ? internal_ca::certificate_key_sha256(*present) : present.error();
  auto const shown = internal_ca::certificate_key_sha256(ca_pem);
  if (here && (!shown || *shown != *here)) {
    return base::fail(errc::refused, "the controller shows another root than " + ca_file +
                                         ", by which this node joined; if that is meant, join again");
  }
  return {};
}

// `world_key` is the token's, or, of a node that is known by its certificate, the answer's. A pin is written once.
base::Result<void> keep_pin(json::object const& answer, NodeFiles const& files, std::string const& world_key) {
  auto const key = signed_world::VerifyKey::from_hex(world_key);
  if (!key) {
    return base::fail(errc::refused, "the controller did not show the key it signs with");
  }
  signed_world::Pin pin{*key, text_of(answer, "mesh"), 0};
  if (auto const* now = answer.if_contains("now_s"); now != nullptr && now->is_int64()) {
    pin.pinned_at_s = now->get_int64();
  }
  auto const present = signed_world::read_pin(files.pin);
  if (!present) {
    return present.error();
  }
  if (*present && (*present)->key == pin.key && (*present)->mesh == pin.mesh) {
    return {};
  }
  if (*present) {
    return base::fail(errc::refused, "this machine is of the mesh '" + (*present)->mesh + "' and trusts another key; " +
                                         files.pin + " says which, and is not replaced");
  }
  return process::write_file_atomically(files.pin, signed_world::to_text(pin), 0644);
}

base::Result<void> keep_world(json::object const& answer, NodeFiles const& files) {
  auto const world = signed_world::parse_signed_world(text_of(answer, "world"));
  auto const pin = signed_world::read_pin(files.pin);
  if (!world || !pin) {
    return base::fail(errc::refused, "the controller's answer holds no world");
  }
  auto const opened = signed_world::open_world(*world, *pin, wall_clock_s());
  if (!opened) {
    return base::fail(errc::refused, "the controller's world is not used: " + opened.error().what());
  }
  return process::write_file_atomically(files.joined_world, signed_world::to_json(*world), 0640);
}

base::Result<void> keep(json::object const& answer, NodeFiles const& files, std::string const& key_pem) {
  std::string const certificate = text_of(answer, "certificate_pem");
  std::string const ca = text_of(answer, "ca_pem");
  if (auto checked = internal_ca::verify_own(certificate, ca, key_pem, wall_clock_s()); !checked) {
    return base::fail(errc::refused, "what the controller gave is not used: " + checked.error().what());
  }
  if (auto written = process::write_file_atomically(files.ca, ca, 0644); !written) {
    return written.error();
  }
  return process::write_file_atomically(files.certificate, certificate, 0644);
}

net::HttpRequest post(json::object const& body) {
  net::HttpRequest request;
  request.method = "POST";
  request.headers.set("Content-Type", "application/json");
  request.body = json::serialize(body);
  return request;
}

}  // namespace

NodeFiles::NodeFiles(std::string const& directory)
    : wireguard_key(directory + "/wireguard.key"),
      tls_key(directory + "/node.key"),
      certificate(directory + "/node.crt"),
      ca(directory + "/ca.crt"),
      revocations(directory + "/ca.crl"),
      pin(directory + "/controller.pin"),
      joined_world(directory + "/world.joined") {}

base::Result<wireguard::PrivateKey> load_or_make_wireguard_key(std::string const& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    wireguard::PrivateKey key = wireguard::PrivateKey::generate();
    if (auto written = process::write_file_atomically(file, key.to_base64() + "\n", 0600); !written) {
      return written.error();
    }
    return key;
  }
  auto text = process::read_file(file, 4096);
  if (!text) {
    return text.error();
  }
  while (!text->empty() && text->back() == '\n') {
    text->pop_back();
  }
  auto key = wireguard::PrivateKey::from_base64(*text);
  if (!key) {
    return base::fail(errc::bad_state, file + " exists but holds no WireGuard key; nothing was replaced");
  }
  return key;
}

base::Result<std::string> load_or_make_tls_key(std::string const& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    auto key = internal_ca::make_key_pem();
    if (!key) {
      return key.error();
    }
    if (auto written = process::write_file_atomically(file, *key, 0600); !written) {
      return written.error();
    }
    return key;
  }
  auto text = process::read_file(file, 65536);
  if (text && !internal_ca::public_key_sha256(*text)) {
    return base::fail(errc::bad_state, file + " exists but holds no key; nothing was replaced");
  }
  return text;
}

namespace {

// Adds the WireGuard key to what is asked, and the proof that this machine holds it.
net::Task<base::Result<void>> show_key(net::HttpClient* client, std::string url, std::string controller_url,
                                       std::string key_file, json::object* body) {
  auto const key = load_or_make_wireguard_key(key_file);
  if (!key) {
    co_return key.error();
  }
  net::HttpRequest const get;
  auto const greeted = co_await client->send(url, get, deadline);
  auto const greeting = object_of(greeted, "the controller at " + controller_url);
  if (!greeting) {
    co_return greeting.error();
  }
  auto const controller = wireguard::PublicKey::from_base64(text_of(*greeting, "x25519_public"));
  if (!controller) {
    co_return base::fail(errc::refused, "the controller did not show its key");
  }
  auto const proof = proof_of_possession(*key, *controller, text_of(*body, "token_id"), text_of(*body, "node"),
                                         text_of(*body, "csr_pem"));
  if (!proof) {
    co_return proof.error();
  }
  (*body)["wireguard_public_key"] = wireguard::public_key(*key).to_base64();
  (*body)["proof"] = *proof;
  co_return base::Result<void>();
}

}  // namespace

net::Task<base::Result<void>> join(JoinSettings settings, Token token) {
  NodeFiles const files(settings.state_directory);
  std::string const name = settings.as_operator ? settings.node + std::string(operator_suffix) : settings.node;
  auto const tls_key = load_or_make_tls_key(files.tls_key);
  if (!tls_key) {
    co_return tls_key.error();
  }
  auto const csr = internal_ca::make_csr_pem(*tls_key, name);
  if (!csr) {
    co_return csr.error();
  }
  net::HttpClientSettings client_settings;
  client_settings.tls.pinned_sha256 = token.controller_sha256;
  net::HttpClient client(co_await net::asio::this_coro::executor, client_settings);
  std::string const url = settings.controller_url + "/v1/join";
  json::object body{{"token_id", token.id},
                    {"secret", token.secret},
                    {"node", name},
                    {"csr_pem", *csr},
                    {"purpose", ::enrolment::name(settings.as_operator ? Purpose::operator_of : Purpose::node)}};
  if (!settings.as_operator) {
    auto const shown = co_await show_key(&client, url, settings.controller_url, files.wireguard_key, &body);
    if (!shown) {
      co_return shown.error();
    }
  }
  net::HttpRequest const request = post(body);
  auto const answered = co_await client.send(url, request, deadline);
  auto const answer = object_of(answered, "joining as '" + name + "'");
  if (!answer) {
    co_return answer.error();
  }
  if (!settings.as_operator) {
    if (auto pinned = keep_pin(*answer, files, token.world_key); !pinned) {
      co_return pinned.error();
    }
    if (auto known = keep_world(*answer, files); !known) {
      co_return known.error();
    }
  }
  co_return keep(*answer, files, *tls_key);
}

net::Task<base::Result<void>> renew(JoinSettings settings, Shown shown) {
  NodeFiles const files(settings.state_directory);
  auto const tls_key = load_or_make_tls_key(files.tls_key);
  if (!tls_key) {
    co_return tls_key.error();
  }
  auto const csr = internal_ca::make_csr_pem(*tls_key, settings.node);
  if (!csr) {
    co_return csr.error();
  }
  net::HttpClientSettings client_settings;
  client_settings.tls.ca_file = files.ca;
  client_settings.tls.server_name = settings.controller_name;
  if (shown == Shown::certificate) {
    client_settings.tls.identity = net::Identity{files.certificate, files.tls_key};
  }
  net::HttpClient client(co_await net::asio::this_coro::executor, client_settings);
  json::object body{{"csr_pem", *csr}};
  if (shown == Shown::keys) {
    body["node"] = settings.node;
    body["token_id"] = renewal_proof;
    std::string const join_url = settings.controller_url + "/v1/join";
    auto const proved = co_await show_key(&client, join_url, settings.controller_url, files.wireguard_key, &body);
    if (!proved) {
      co_return proved.error();
    }
  }
  net::HttpRequest const request = post(body);
  std::string const url = settings.controller_url + "/v1/renew";
  auto const answered = co_await client.send(url, request, deadline);
  auto const answer = object_of(answered, "renewing the certificate");
  if (!answer) {
    co_return answer.error();
  }
  if (auto rooted = check_root(files.ca, text_of(*answer, "ca_pem")); !rooted) {
    co_return rooted.error();
  }
  if (auto pinned = keep_pin(*answer, files, text_of(*answer, "world_key")); !pinned) {
    co_return pinned.error();
  }
  co_return keep(*answer, files, *tls_key);
}

}  // namespace enrolment
