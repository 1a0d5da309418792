module(mesh/wireguard SOURCES error.cpp key.cpp device.cpp diff.cpp configuration.cpp
  DEPENDS base/result base/net base/process LIBRARIES OpenSSL::Crypto)
module(mesh/wireguard/kernel SOURCES netlink_socket.cpp netlink.cpp link.cpp route_dump.cpp
  DEPENDS base/result base/net mesh/wireguard LIBRARIES PkgConfig::nl)
module(mesh/wireguard/backend SOURCES uapi.cpp service.cpp driver.cpp backend.cpp
  DEPENDS base/result base/net base/process mesh/wireguard mesh/wireguard/kernel)
module(mesh/plan/lines SOURCES lines.cpp DEPENDS base/result)
module(mesh/plan/area_moves SOURCES area_moves.cpp DEPENDS base/result)
module(mesh/plan SOURCES world.cpp slots.cpp plan.cpp text.cpp files.cpp nftables.cpp difference.cpp
  DEPENDS base/result topology topology/neighbourhood topology/room mesh/wireguard routing/bird routing/repair_links
    mesh/plan/lines mesh/plan/area_moves
  LIBRARIES Boost::json fmt::fmt)
module(mesh/round_trips SOURCES echo.cpp window.cpp prober.cpp
  DEPENDS base/result base/net base/process topology mesh/wireguard mesh/plan)
module(mesh/signed_world SOURCES signing_key.cpp signed_world.cpp removals.cpp
  DEPENDS base/result base/process mesh/wireguard mesh/plan LIBRARIES Boost::json OpenSSL::Crypto)
module(mesh/internal_ca SOURCES error.cpp pem.cpp credentials.cpp certificate.cpp authority.cpp issuing.cpp serving.cpp
    revocations.cpp
  DEPENDS base/result base/process LIBRARIES OpenSSL::Crypto)
module(mesh/enrolment SOURCES error.cpp terms.cpp token.cpp registry.cpp enroller.cpp
  DEPENDS base/result base/net base/process base/database topology mesh/wireguard mesh/internal_ca
    mesh/signed_world base/http_client
  LIBRARIES Boost::json OpenSSL::Crypto)
module(mesh/members SOURCES members.cpp turns.cpp spent_tokens.cpp issued.cpp revocation_list.cpp catch_up.cpp
  DEPENDS base/result base/database topology mesh/enrolment mesh/internal_ca)
module(mesh/link_costs SOURCES costs.cpp times.cpp DEPENDS base/result base/database routing/cost LIBRARIES Boost::json)
module(mesh/world_store SOURCES world_store.cpp catch_up.cpp
  DEPENDS base/result base/database topology topology/room mesh/plan mesh/signed_world mesh/enrolment mesh/members
    mesh/link_costs routing/repair_links)
module(mesh/examinations SOURCES book.cpp DEPENDS base/result LIBRARIES Boost::json)
module(mesh/capacity SOURCES capacity.cpp DEPENDS base/result base/process)
module(mesh/handing_out SOURCES handing_out.cpp DEPENDS base/result base/net base/http base/gzip)
module(mesh/controller SOURCES controller.cpp behind.cpp costs.cpp examination_routes.cpp own_certificate.cpp
    rotations.cpp node_routes.cpp operator_routes.cpp
  DEPENDS base/result base/net base/process base/database topology mesh/wireguard mesh/plan mesh/signed_world
    mesh/enrolment mesh/internal_ca
    mesh/members mesh/link_costs mesh/world_store mesh/examinations mesh/twins mesh/handing_out mesh/capacity
    base/http_server base/store_thread
  LIBRARIES Boost::json)
module(mesh/guard SOURCES rules.cpp strays.cpp events.cpp
  DEPENDS base/result base/net base/process mesh/wireguard mesh/wireguard/kernel mesh/enrolment
  LIBRARIES PkgConfig::nl)
module(mesh/reconcile/departures SOURCES departures.cpp
  DEPENDS base/result topology mesh/wireguard mesh/plan routing/bird)
module(mesh/reconcile SOURCES machine.cpp bird_service.cpp reconciler.cpp upkeep.cpp
  DEPENDS base/result base/net base/process topology mesh/wireguard mesh/wireguard/kernel mesh/wireguard/backend
    mesh/plan mesh/guard mesh/reconcile/departures
    mesh/enrolment routing/bird)
module(mesh/preview SOURCES preview.cpp look.cpp
  DEPENDS base/result base/net base/process mesh/wireguard mesh/wireguard/kernel mesh/wireguard/backend mesh/plan
    mesh/plan/lines mesh/guard mesh/reconcile routing/bird
  LIBRARIES Boost::json)
module(mesh/repair SOURCES kernel_routes.cpp detours.cpp preparer.cpp repairer.cpp
  DEPENDS base/result base/net base/process topology mesh/wireguard mesh/wireguard/kernel mesh/plan routing/bird
    routing/backup
  LIBRARIES PkgConfig::nl)
module(mesh/passing_on SOURCES rules.cpp kernel_rules.cpp keeper.cpp
  DEPENDS base/result base/process mesh/wireguard mesh/wireguard/kernel base/probe routing/anycast)
module(mesh/agent/belief SOURCES snapshots.cpp worlds.cpp second_look.cpp checks.cpp changes_of_worlds.cpp identity.cpp
  DEPENDS base/result base/process topology mesh/wireguard mesh/plan mesh/signed_world mesh/enrolment)
module(mesh/agent/following SOURCES renewal.cpp revocations.cpp follower.cpp
  DEPENDS base/result base/net base/process base/gzip base/http_client mesh/plan mesh/signed_world mesh/internal_ca
    mesh/enrolment
  LIBRARIES Boost::json)
module(mesh/agent/trial SOURCES trial.cpp changes.cpp remembered.cpp DEPENDS base/result routing/bird)
module(mesh/agent/links SOURCES links.cpp gauges.cpp
  DEPENDS base/result base/process mesh/wireguard mesh/round_trips routing/bird LIBRARIES Boost::json)
module(mesh/agent/rotation SOURCES rotation.cpp
  DEPENDS base/result base/net mesh/wireguard mesh/plan mesh/enrolment mesh/agent/belief mesh/agent/following
    mesh/agent/trial routing/bird
  LIBRARIES Boost::json)
module(mesh/agent SOURCES status.cpp gauges.cpp believing.cpp passes.cpp agent.cpp
  DEPENDS base/result base/net base/process base/probe topology mesh/wireguard mesh/wireguard/kernel
    mesh/wireguard/backend mesh/plan mesh/signed_world mesh/enrolment mesh/agent/belief mesh/agent/following
    mesh/agent/links mesh/agent/trial mesh/agent/rotation mesh/round_trips mesh/guard mesh/passing_on mesh/reconcile
    mesh/repair routing/bird routing/anycast base/http base/http_client
  LIBRARIES Boost::json)
module(mesh/bounded_logs SOURCES bounded_logs.cpp DEPENDS base/result base/net base/process)
module(mesh/figures SOURCES figures.cpp
  DEPENDS base/result base/net base/process base/http mesh/agent/links mesh/agent)
module(mesh/planning SOURCES worlds.cpp report.cpp
  DEPENDS base/result base/process topology topology/room topology/proof topology/verify mesh/wireguard mesh/plan
    mesh/signed_world mesh/agent/belief routing/backup routing/repair_links
  LIBRARIES Boost::json)
module(mesh/settings SOURCES settings.cpp limits.cpp
  DEPENDS base/result base/config base/process base/http_client mesh/wireguard mesh/wireguard/backend)
module(mesh/twins SOURCES turns.cpp DEPENDS base/result)
module(mesh/doctor/underlay SOURCES route.cpp addresses.cpp
  DEPENDS base/result mesh/wireguard mesh/wireguard/kernel)
module(mesh/doctor/echoes SOURCES echo.cpp
  DEPENDS base/result base/net mesh/wireguard mesh/round_trips)
module(mesh/doctor SOURCES facts.cpp doctor.cpp examination.cpp node.cpp identity.cpp devices.cpp routing.cpp
    observe.cpp
  DEPENDS base/result base/net base/process topology mesh/wireguard mesh/wireguard/kernel mesh/wireguard/backend
    mesh/plan mesh/internal_ca mesh/doctor/underlay mesh/doctor/echoes
    routing/bird
  LIBRARIES Boost::json)
module(mesh/graph SOURCES graph.cpp drawing.cpp
  DEPENDS base/result topology mesh/plan routing/bird LIBRARIES Boost::json fmt::fmt)
module(mesh/names SOURCES names.cpp publisher.cpp
  DEPENDS base/result base/net base/process topology mesh/plan base/http base/http_client
  LIBRARIES Boost::json fmt::fmt)
module(mesh/showing SOURCES status_text.cpp doctor_text.cpp world_text.cpp terminal.cpp
  DEPENDS base/result LIBRARIES Boost::json fmt::fmt)
module(mesh/looking SOURCES looking.cpp controller_call.cpp times.cpp
  DEPENDS base/result base/net base/process base/http base/http_client topology mesh/plan mesh/signed_world
    mesh/enrolment mesh/agent/belief mesh/planning mesh/doctor mesh/graph routing/bird
  LIBRARIES Boost::json)
