// Certificates as the daemon wires them: vault, issuer, distribution, and what /v1/status says of them.
#include "dns-backend/daemon/daemon.hpp"

#include "acme/administration/key_routes.hpp"
#include "dns-backend/api/access.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <set>

namespace navigator {
namespace {

namespace json = boost::json;

// A follower that asked nothing for this long is asked whether it still answers; if it does not, it is out of service.
constexpr std::chrono::seconds follower_patience{10};
constexpr std::size_t pulse_zones = 4;  // a site that is cut off may lack the newest ones

// Let's Encrypt's are public; every other CA's are set, or learned from its refusals.
acme::LimitSettings limits_of(CaSettings const& ca) {
  acme::LimitSettings limits;
  if (ca.directory.starts_with("https://acme-v02.api.letsencrypt.org/")) {
    limits = acme::lets_encrypt_limits();
  }
  auto const take = [](acme::Allowance& into, std::optional<CaLimit> const& set) {
    into = set ? acme::Allowance{set->count, set->per} : into;
  };
  take(limits.orders, ca.limits.new_orders);
  take(limits.domain, ca.limits.registered_domain);
  take(limits.set, ca.limits.exact_set);
  take(limits.failures, ca.limits.failures);
  return limits;
}

acme::AuthoritySettings authority_settings(CaSettings const& ca) {
  acme::AuthoritySettings authority;
  authority.directory_url = ca.directory;
  authority.ca_bundle = ca.ca_bundle;
  authority.contact = ca.contact;
  authority.profile = ca.profile;
  authority.preferred_issuer = ca.preferred_issuer;
  authority.key_type = crypto::key_type_of(ca.key_type).value();
  if (!ca.eab_kid.empty()) {
    authority.external = crypto::ExternalAccount{ca.eab_kid, ca.eab_hmac};
  }
  authority.challenge = protocol::kind_of(ca.challenge).value_or(protocol::ChallengeKind::dns01);
  authority.standing_life = std::chrono::duration_cast<std::chrono::seconds>(ca.persist_for);
  authority.limits = limits_of(ca);
  return authority;
}

acme::IssuerSettings issuer_settings(AcmeSettings const& wanted, std::string const& node) {
  acme::IssuerSettings settings;
  for (CaSettings const& ca : wanted.authorities) {
    settings.authorities.push_back(authority_settings(ca));
  }
  if (wanted.staging) {
    settings.staging = authority_settings(*wanted.staging);
  }
  settings.public_suffixes = wanted.public_suffixes;
  settings.holder = node.empty() ? settings.holder : node;
  settings.first_retry = wanted.first_retry;
  settings.first_certificate_within = wanted.first_certificate_within;
  settings.gate.deadline = wanted.gate_timeout;
  settings.publish_caa = wanted.publish_caa;
  return settings;
}

// What stands in the way of a domain's certificate, seen right before its order.
net::Task<base::Result<acme::Sight>> look_at_domain(Daemon const& daemon, std::int64_t domain_id, std::string label) {
  acme::Sight sight;
  domain_watch::DomainWatch* const watch = daemon.self_service == nullptr ? nullptr : daemon.self_service->watch();
  if (watch == nullptr) {
    co_return sight;
  }
  auto const verdict = co_await watch->look(domain_id, wall_ms());
  if (!verdict) {
    co_return verdict.error();
  }
  if (!verdict->ok()) {
    sight.objection = verdict->code + ": " + verdict->reason + " (" + verdict->hint + ")";
    sight.passing = verdict->temporary();
    co_return sight;
  }
  // The look is content with what one CA needs; this order is for one that may need something else.
  if (daemon.issuer->challenge_labels().size() > 1) {
    auto const delegated = co_await watch->look_at_challenge(domain_id, std::move(label));
    if (!delegated) {
      co_return delegated.error();
    }
    if (!delegated->ok()) {
      sight.objection = delegated->code + ": " + delegated->reason + " (" + delegated->hint + ")";
      sight.passing = delegated->temporary();
      sight.here_only = !sight.passing;
      co_return sight;
    }
  }
  co_return sight;
}

// CAA records that are not in our zones.
net::Task<base::Result<acme::CaaFound>> look_for_caa(Daemon const& daemon, std::int64_t tenant_id, std::string name) {
  domain_watch::DomainWatch* const watch = daemon.self_service == nullptr ? nullptr : daemon.self_service->watch();
  if (watch == nullptr) {
    co_return acme::CaaFound();
  }
  auto task = tenant_id == 0 ? watch->caa_above(std::move(name)) : watch->caa(tenant_id, std::move(name));
  co_return co_await std::move(task);
}

// Where the CNAMEs at a tenant's name lead.
net::Task<base::Result<acme::ChainSight>> follow_cnames(Daemon const& daemon, std::int64_t tenant_id,
                                                        std::string name) {
  domain_watch::DomainWatch* const watch = daemon.self_service == nullptr ? nullptr : daemon.self_service->watch();
  if (watch == nullptr) {
    co_return base::fail(boost::system::errc::host_unreachable, "there is no resolver: tenants.resolver");
  }
  auto const trace = co_await watch->trace(tenant_id, std::move(name));
  if (!trace) {
    co_return trace.error();
  }
  acme::ChainSight sight;
  for (dns::Name const& one : trace->names) {
    sight.names.push_back(one.text().substr(0, one.text().size() - 1));
  }
  if (trace->trouble) {
    sight.trouble = trace->trouble->code;
    sight.reason = trace->trouble->reason;
  }
  co_return sight;
}

// As the API's refusals tell them apart.
base::Failure as_store_failure(base::Failure const& failure) {
  if (failure.code == vault::errc::not_found) {
    return base::fail(store::errc::not_found, failure.detail);
  }
  if (failure.code == protocol::errc::unavailable) {
    return base::fail(boost::system::errc::device_or_resource_busy, failure.detail);
  }
  if (failure.code == vault::errc::fenced) {
    return base::fail(boost::system::errc::resource_unavailable_try_again, failure.detail);
  }
  return failure;
}

net::Task<base::Result<api::Taking>> take_certificate(Daemon const& daemon, std::int64_t tenant_id, std::string name,
                                                      api::BroughtCertificate brought) {
  upload::Upload upload{std::move(brought.chain_pem), std::move(brought.key_pem)};
  auto problems = co_await daemon.issuer->take_upload(tenant_id, name, std::move(upload), brought.fallback);
  if (!problems) {
    co_return as_store_failure(problems.error());
  }
  api::Taking taking;
  taking.problems = std::move(*problems);
  if (auto const status = daemon.issuer->status_of(tenant_id, name); status && taking.problems.empty()) {
    taking.certificate = acme::json_of(*status);
  }
  co_return taking;
}

net::Task<base::Result<void>> drop_certificate(Daemon const& daemon, std::int64_t tenant_id, std::string name) {
  auto const dropped = co_await daemon.issuer->remove_upload(tenant_id, std::move(name));
  co_return dropped ? base::Result<void>() : as_store_failure(dropped.error());
}

void connect_self_service(Daemon& daemon) {
  if (daemon.self_service == nullptr) {
    return;
  }
  daemon.self_service->challenges_at([&daemon] { return daemon.issuer->challenge_labels(); });
  daemon.self_service->certificates_from([&daemon](std::int64_t tenant_id) {
    json::array list;
    for (acme::SubjectStatus const& one : daemon.issuer->status_of(tenant_id)) {
      list.push_back(acme::json_of(one));
    }
    return list;
  });
  daemon.self_service->bring_to(
      [&daemon](std::int64_t tenant_id, std::string name, api::BroughtCertificate brought) {
        return take_certificate(daemon, tenant_id, std::move(name), std::move(brought));
      },
      [&daemon](std::int64_t tenant_id, std::string name) {
        return drop_certificate(daemon, tenant_id, std::move(name));
      });
}

json::array orders_of(Daemon const& daemon) {
  json::array out;
  if (daemon.issuer == nullptr) {
    return out;
  }
  for (acme::SubjectStatus const& one : daemon.issuer->status()) {
    out.push_back(acme::json_of(one));
  }
  return out;
}

// Which CAs are still to be told of.
json::array revocations_of(Daemon const& daemon) {
  json::array out;
  if (daemon.issuer == nullptr) {
    return out;
  }
  for (acme::PendingRevocation const& one : daemon.issuer->revocations()) {
    out.push_back(json::object{{"name", one.certificate.subject},
                               {"fingerprint", one.certificate.fingerprint},
                               {"authority", one.certificate.directory_url},
                               {"failures", one.failures},
                               {"next_attempt_ms", crypto::to_ms(one.not_before)},
                               {"last_error", one.last_error}});
  }
  return out;
}

json::array authorities_of(Daemon const& daemon) {
  json::array out;
  if (daemon.issuer == nullptr) {
    return out;
  }
  for (auto const& authority : daemon.issuer->authorities()) {
    out.push_back(json::object{{"directory", authority.directory_url},
                               {"account", authority.account_url},
                               {"state", authority.state},
                               {"failures", authority.failures},
                               {"resting_until_ms", authority.resting_until_ms},
                               {"action_required", authority.action_required},
                               {"last_error", authority.last_error}});
  }
  return out;
}

// In service: something is heard of it.
std::vector<acme::Site> heard_sites(Daemon const& daemon) {
  std::vector<acme::Site> sites;
  auto const now = std::chrono::steady_clock::now();
  for (auto const& wanted : daemon.settings.sites) {
    acme::Site site{wanted.name, wanted.address, wanted.port, true, 0};
    auto const found = daemon.feed_server->followers().find(wanted.node);
    if (wanted.node == daemon.settings.node) {
      site.acknowledged = daemon.store->revision();
    } else if (found == daemon.feed_server->followers().end()) {
      // After a start the replicas are given the time to come back before they are taken for gone.
      site.in_service = now - daemon.began < follower_patience;
    } else {
      site.acknowledged = found->second.acknowledged;
      site.in_service = found->second.polling || now - found->second.last_heard < follower_patience;
    }
    sites.push_back(std::move(site));
  }
  return sites;
}

// By which a site shows that it answers.
std::vector<std::string> some_zones(Daemon const& daemon) {
  std::vector<std::string> apexes;
  auto const snapshot = daemon.store->published().copy();
  snapshot->zones.for_each_from({}, [&apexes](std::string const&, store::ZonePtr const& zone) {
    apexes.push_back(zone->apex.text());
    return apexes.size() < pulse_zones;
  });
  return apexes;
}

}  // namespace

std::vector<acme::Site> gate_sites(Daemon const& daemon) {
  std::vector<acme::Site> sites = heard_sites(daemon);
  return daemon.pulse == nullptr ? sites : daemon.pulse->judge(std::move(sites));
}

net::Task<base::Result<void>> start_certificates(Daemon& daemon) {
  if (!daemon.settings.acme) {
    if (daemon.is_primary()) {  // nobody issues here any more: CAA records would only keep others from it
      std::set<std::string> none;
      auto const cleared = co_await daemon.store->keep_caa_issuers(std::move(none));
      if (!cleared) {
        co_return cleared.error();
      }
    }
    co_return base::Result<void>();
  }
  AcmeSettings const& wanted = *daemon.settings.acme;
  daemon.vault = std::make_unique<vault::Vault>(daemon.store->thread());
  char const* const credentials = std::getenv("CREDENTIALS_DIRECTORY");  // systemd.exec(5)
  keyring::MasterFiles const master{wanted.master_key, wanted.former_master_keys, credentials ? credentials : ""};
  if (auto opened = co_await daemon.vault->open(master); !opened) {
    co_return opened.error();
  }
  daemon.pulse = std::make_unique<acme::Pulse>(
      daemon.executor, [&daemon] { return heard_sites(daemon); }, [&daemon] { return some_zones(daemon); },
      acme::PulseSettings());
  acme::IssuerSettings settings = issuer_settings(wanted, daemon.settings.node);
  settings.challenge_zone = daemon.settings.tenants.challenge_zone;
  settings.look = [&daemon](std::int64_t domain_id, std::string const&, std::string label) {
    return look_at_domain(daemon, domain_id, std::move(label));
  };
  settings.caa_look = [&daemon](std::int64_t tenant_id, std::string name) {
    return look_for_caa(daemon, tenant_id, std::move(name));
  };
  daemon.issuer = std::make_unique<acme::Issuer>(daemon.executor, *daemon.store, *daemon.vault, daemon.metrics,
                                                 std::move(settings), [&daemon] { return gate_sites(daemon); });
  auto const is_admin = [&daemon](net::HttpRequest const& request) {
    return api::is_administrator(*daemon.api, request);
  };
  daemon.distribution = std::make_unique<acme::Distribution>(
      daemon.executor, *daemon.store, *daemon.vault, is_admin,
      [&daemon] { return acme::acknowledged_everywhere(gate_sites(daemon), daemon.store->revision()); });
  daemon.distribution->add_routes(daemon.router);
  daemon.administration = std::make_unique<acme::Administration>(acme::Administration{
      *daemon.issuer, *daemon.store, [&daemon] { return gate_sites(daemon); }, is_admin, daemon.vault.get(),
      [&daemon](std::int64_t tenant_id, std::string name) { return follow_cnames(daemon, tenant_id, std::move(name)); },
      [&daemon](std::int64_t tenant_id, std::string name) {
        return look_for_caa(daemon, tenant_id, std::move(name));
      }});
  acme::add_routes(daemon.router, *daemon.administration);
  acme::add_key_routes(daemon.router, {*daemon.vault, *daemon.store, is_admin});
  daemon.issuer->on_change([&daemon](std::int64_t tenant_id) { daemon.distribution->poke(tenant_id); });
  connect_self_service(daemon);
  daemon.feed_server->on_acknowledgment([&daemon] {
    daemon.issuer->poke_gate();
    daemon.distribution->poke();
    if (daemon.self_service != nullptr) {
      daemon.self_service->poke();
    }
  });
  net::spawn(daemon.executor, "certificate issuer", daemon.issuer->run());
  net::spawn(daemon.executor, "certificate distribution", daemon.distribution->run());
  co_return base::Result<void>();
}

void add_certificate_sections(Daemon const& daemon, api::Dependencies& api) {
  if (!daemon.settings.acme) {
    return;
  }
  api.sections["certificates"] = [&daemon] { return json::value(orders_of(daemon)); };
  api.sections["issuer"] = [&daemon]() -> json::value {
    acme::IssuerStatus const status = daemon.issuer == nullptr ? acme::IssuerStatus() : daemon.issuer->issuer_status();
    return json::object{{"leads", status.leads},     {"holder", status.holder},
                        {"fence", status.fence},     {"in_flight", status.in_flight},
                        {"waiting", status.waiting}, {"alarms", status.alarms},
                        {"missing", status.missing}, {"revocations", revocations_of(daemon)}};
  };
  api.sections["authorities"] = [&daemon] { return json::value(authorities_of(daemon)); };
}

}  // namespace navigator
