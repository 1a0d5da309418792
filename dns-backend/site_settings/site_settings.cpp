#include "dns-backend/site_settings/site_settings.hpp"

#include <utility>

namespace navigator {
namespace {

net::TlsClientSettings client_tls(Settings const& settings) {
  net::TlsClientSettings tls;
  TlsFiles const* const files = settings.api_tls   ? &*settings.api_tls
                                : settings.replica ? &settings.replica->tls
                                                   : nullptr;
  if (files != nullptr) {
    tls.ca_file = files->ca;
    tls.identity = net::Identity{files->certificate, files->key};
  }
  return tls;
}

}  // namespace

vantage::ExchangeSettings exchange_settings(Settings const& settings) {
  vantage::ExchangeSettings out;
  for (SiteSettings const& site : settings.sites) {
    if (site.node == settings.node) {
      out.site = site.name;
    } else if (!site.url.empty()) {
      vantage::PeerSettings peer{site.name, site.node, site.url};
      peer.client.tls = client_tls(settings);
      peer.client.tls.server_name = site.node;
      out.peers.push_back(std::move(peer));
    }
  }
  return out;
}

mesh_costs::MeshCostsSettings mesh_costs_settings(Settings const& settings) {
  mesh_costs::MeshCostsSettings wanted;
  wanted.bird = settings.mesh_bird;
  for (SiteSettings const& site : settings.sites) {
    if (site.node == settings.node) {
      wanted.own = site.name;
    } else if (!site.loopback.empty()) {
      wanted.sites.push_back({site.name, net::asio::ip::make_address(site.loopback)});
    }
  }
  return wanted;
}

}  // namespace navigator
