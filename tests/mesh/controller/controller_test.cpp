// A whole controller on loopback, with nodes that join, follow, report and are removed.
#include "tests/mesh/controller/controller_fixture.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

namespace controller_tests {
namespace {

TEST_F(ControllerTest, ANodeJoinsByATokenAndThenReadsTheWorldWithItsCertificate) {
  auto const joined = join("ams-1", token());
  ASSERT_TRUE(joined) << joined.error().what();
  enrolment::NodeFiles const files(folder_.file("ams-1"));
  for (auto const& secret : {files.wireguard_key, files.tls_key}) {
    EXPECT_EQ(std::filesystem::status(secret).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  auto const client = client_of("ams-1");
  auto const document = world(*client);
  EXPECT_EQ(document.topology, topology());
  auto const key = enrolment::load_or_make_wireguard_key(files.wireguard_key).value();
  EXPECT_THAT(document.nodes, testing::ElementsAre(testing::Pair("ams-1", wireguard::public_key(key).to_base64())));
  EXPECT_TRUE(plan::build_world(document));
}

TEST_F(ControllerTest, JoiningAgainAfterALostAnswerKeepsKeysAndSucceeds) {
  auto const once = token();
  ASSERT_TRUE(join("ams-1", once));
  enrolment::NodeFiles const files(folder_.file("ams-1"));
  auto const key = process::read_file(files.wireguard_key).value();
  std::filesystem::remove(files.certificate);
  ASSERT_TRUE(join("ams-1", once));
  EXPECT_EQ(process::read_file(files.wireguard_key).value(), key);
  EXPECT_TRUE(std::filesystem::exists(files.certificate));
  auto const second = join("ams-2", once);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, enrolment::errc::refused);
}

TEST_F(ControllerTest, ATokenOfAnotherControllerIsNotSpentOnThisOne) {
  auto foreign = token();
  foreign.controller_sha256 = std::string(64, 'a');
  auto const joined = join("ams-1", foreign);
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, net::errc::certificate) << "the secret never left the node";
  EXPECT_THAT(admin("GET", "/v1/tokens").body, HasSubstr("\"used\":0"));
}

TEST_F(ControllerTest, ALongPollWakesWhenAnotherNodeJoins) {
  ASSERT_TRUE(join("ams-1", token()));
  auto const client = client_of("ams-1");
  auto const before = world(*client);
  auto const slot = poll(*client, before.revision);
  EXPECT_EQ(ask(*client, "/v1/world?since=" + std::to_string(before.revision)).status, 204) << "nothing new";
  EXPECT_FALSE(*slot);
  ASSERT_TRUE(join("ams-2", token(R"({"node":"ams-2"})")));
  until_answered(slot);
  auto const after = opened((*slot)->body);
  EXPECT_GT(after.revision, before.revision);
  EXPECT_EQ(after.nodes.size(), 2U);
}

TEST_F(ControllerTest, AChangeIsToldThoughWhoAskedForItHangsUp) {
  ASSERT_TRUE(join("ams-1", token()));
  auto const client = client_of("ams-1");
  auto const slot = poll(*client, world(*client).revision);
  boost::asio::local::stream_protocol::socket hasty(loop_);
  hasty.connect(folder_.file("admin.sock"));
  std::string const request = "POST /v1/nodes/ams-1/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
  boost::asio::write(hasty, boost::asio::buffer(request));
  hasty.close();
  until_answered(slot);
  EXPECT_EQ((*slot)->status, 200);
  EXPECT_EQ(world(*client).draining.size(), 1U);
}

TEST_F(ControllerTest, ARemovedNodeIsRefusedAtOnceEvenInALongPoll) {
  ASSERT_TRUE(join("ams-1", token()));
  ASSERT_TRUE(join("ams-2", token()));
  auto const client = client_of("ams-2");
  auto const slot = poll(*client, world(*client).revision);
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-2").status, 204);
  until_answered(slot);
  EXPECT_EQ((*slot)->status, 403);
  EXPECT_EQ(ask(*client, "/v1/world?since=0").status, 403);
  EXPECT_EQ(ask(*client, "/v1/renew", "POST", "{}").status, 403);
  auto const other = client_of("ams-1");
  EXPECT_EQ(world(*other).nodes.size(), 1U);
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-2").status, 404) << "it is no member any more";
}

TEST_F(ControllerTest, WithoutACertificateOnlyJoiningIsPossible) {
  net::HttpClientSettings settings;
  settings.tls.pinned_sha256 = token().controller_sha256;
  net::HttpClient client(loop_.get_executor(), settings);
  EXPECT_EQ(ask(client, "/v1/join").status, 200);
  EXPECT_EQ(ask(client, "/v1/world").status, 403);
  EXPECT_EQ(ask(client, "/v1/renew", "POST", "{}").status, 403);
  EXPECT_EQ(ask(client, "/v1/report", "POST", "{}").status, 403);
  EXPECT_EQ(ask(client, "/v1/tokens").status, 404) << "operators' routes are not on the network";
  for (auto const* body : {"", "[]", "nonsense"}) {
    EXPECT_EQ(ask(client, "/v1/join", "POST", body).status, 400) << body;
  }
  EXPECT_EQ(ask(client, "/v1/join", "POST", R"({"token_id":1})").status, 403);
}

// The machine that bore a name before has a certificate for it that is good for hours yet.
TEST_F(ControllerTest, ANameThatWentToAnotherMachineIsNotTheFormerMachinesAnyMore) {
  ASSERT_TRUE(join("ams-1", token()));
  auto settings = node("ams-1");
  settings.state_directory = folder_.file("reinstalled");
  std::filesystem::create_directories(settings.state_directory);
  ASSERT_TRUE(test::run_task(loop_, enrolment::join(settings, token(R"({"node":"ams-1"})"))));
  auto const present = client_of("reinstalled");
  EXPECT_EQ(world(*present).nodes.size(), 1U);
  auto const former = client_of("ams-1");
  auto const key = process::read_file(folder_.file("ams-1/node.key"));
  ASSERT_TRUE(key);
  auto const csr = internal_ca::make_csr_pem(*key, "ams-1").value();
  std::string const body = json::serialize(json::object{{"csr_pem", csr}});
  EXPECT_EQ(ask(*former, "/v1/world?since=0").status, 403);
  EXPECT_EQ(ask(*former, "/v1/renew", "POST", body).status, 403);
  EXPECT_EQ(ask(*former, "/v1/rotation", "POST", R"({"next_key":"x","proof":"y"})").status, 403);
  EXPECT_EQ(ask(*former, "/v1/report", "POST", "{}").status, 403);
  EXPECT_EQ(ask(*former, "/v1/links").status, 403);
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-1").status, 204);
  EXPECT_EQ(ask(*former, "/v1/world?since=0").status, 403);
  EXPECT_EQ(ask(*present, "/v1/world?since=0").status, 403);
}

TEST_F(ControllerTest, ReportsAppearBesideTheirNodes) {
  ASSERT_TRUE(join("ams-1", token()));
  auto const client = client_of("ams-1");
  EXPECT_EQ(ask(*client, "/v1/report", "POST", R"({"revision":3})").status, 204);
  EXPECT_EQ(ask(*client, "/v1/report", "POST", "nonsense").status, 400);
  EXPECT_THAT(admin("GET", "/v1/nodes").body, HasSubstr(R"("report":{"revision":3,"reported_at_s":)"));
  auto const status = json::parse(admin("GET", "/v1/status").body).as_object();
  EXPECT_EQ(status.at("nodes_joined").to_number<int>(), 1);
  EXPECT_THAT(json::serialize(status.at("not_joined")), R"(["ams-2"])");
}

TEST_F(ControllerTest, RoundTripsOfReportsAreSeenByNodesAndOperators) {
  ASSERT_TRUE(join("ams-1", token()));
  ASSERT_TRUE(join("ams-2", token()));
  auto const one = client_of("ams-1");
  auto const other = client_of("ams-2");
  EXPECT_EQ(ask(*one, "/v1/report", "POST", R"({"rtt_us":{"ams-1--ams-2":1500}})").status, 204);
  EXPECT_EQ(ask(*other, "/v1/report", "POST", R"({"rtt_us":{"ams-1--ams-2":1700,"x":"y","ams-1--fra":5}})").status, 204)
      << "what is no link of its own is left aside";
  EXPECT_EQ(ask(*other, "/v1/report", "POST", "[]").status, 400);
  auto const* const wanted = R"({"links":[{"link":"ams-1--ams-2","rtt_us":{"ams-1":1500,"ams-2":1700}}]})";
  EXPECT_EQ(ask(*one, "/v1/links").body, wanted);
  EXPECT_EQ(admin("GET", "/v1/links").body, wanted);
}

TEST_F(ControllerTest, AnExaminationWakesThePollsThatUnderstandItAndWaitsForWhatTheyFind) {
  ASSERT_TRUE(join("ams-1", token()));
  auto const node = client_of("ams-1");
  EXPECT_EQ(ask(*node, "/v1/report", "POST", "{}").status, 204);
  auto const revision = std::to_string(world(*node).revision);
  auto const answer_as_a_node = [&]() -> net::Task<void> {
    net::HttpRequest poll;
    auto const polled =
        co_await node->send(url() + "/v1/world?since=" + revision + "&wait_ms=20000&examined=0", std::move(poll), 25s);
    auto const number = polled ? std::string(polled->headers.get("Privateer-Examine")) : std::string();
    net::HttpRequest found;
    found.method = "POST";
    found.body = R"({"findings":[{"code":"bird-down"}],"blind":[]})";
    auto const target = url() + "/v1/findings?number=" + number;
    static_cast<void>(co_await node->send(target, std::move(found), 5s));
  };
  net::spawn(loop_.get_executor(), "a node", answer_as_a_node());
  auto const answer = admin("POST", "/v1/examination");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body,
              HasSubstr(R"({"node":"ams-1","answered":true,"healthy":false,"findings":[{"code":"bird-down"}])"));
  EXPECT_EQ(ask(*node, "/v1/world?since=" + revision + "&wait_ms=1").status, 204) << "an older agent asks without";
  net::HttpClientSettings settings;
  settings.tls.ca_file = enrolment::NodeFiles(folder_.file("ams-1")).ca;
  settings.tls.server_name = "controller.internal";
  net::HttpClient stranger(loop_.get_executor(), settings);
  EXPECT_EQ(ask(stranger, "/v1/examination", "POST").status, 403);
  EXPECT_EQ(ask(stranger, "/v1/findings?number=1", "POST", "{}").status, 403);
  EXPECT_EQ(ask(stranger, "/v1/links").status, 403);
}

TEST_F(ControllerTest, ANewTopologyRaisesTheRevisionAndKeepsIdentities) {
  ASSERT_TRUE(join("ams-1", token()));
  auto const client = client_of("ams-1");
  auto const before = world(*client);
  auto const next = topology("  - {name: aaa-1, site: ams, role: edge, underlay: [192.0.2.3]}\n");
  auto const answer = admin("PUT", "/v1/topology", next);
  ASSERT_EQ(answer.status, 200) << answer.body;
  auto const after = world(*client);
  EXPECT_GT(after.revision, before.revision);
  EXPECT_EQ(after.topology, next);
  auto const old_ids = topology::parse_allocation(before.allocation).value();
  auto const new_ids = topology::parse_allocation(after.allocation).value();
  EXPECT_EQ(new_ids.nodes.at("ams-1").id, old_ids.nodes.at("ams-1").id);
  EXPECT_EQ(new_ids.nodes.size(), 3U);
  EXPECT_EQ(admin("PUT", "/v1/topology", next).status, 200);
  EXPECT_EQ(world(*client).revision, after.revision) << "the same text again changes nothing";
}

// A mesh of 10,000 nodes does not fit into what other requests may hold.
TEST_F(ControllerTest, ATopologyMayBeAsLargeAsItsFile) {
  std::string large = topology();
  while (large.size() < 2'000'000) {
    large += "# " + std::string(1000, 'x') + "\n";
  }
  EXPECT_EQ(admin("PUT", "/v1/topology", large).status, 200);
  large.append(std::size_t{4} << 20U, '\n');
  EXPECT_EQ(admin("PUT", "/v1/topology", large).status, 413);
}

TEST_F(ControllerTest, ATenantsNodeDoesNotSeeHowOthersFare) {
  std::string const segmented =
      topology() + "segments: [{name: tv, tenant: tv, prefix4: 10.201.0.0/24, nodes: [ams-2], gateways: [ams-1]}]\n";
  auto const set = admin("PUT", "/v1/topology", segmented);
  ASSERT_EQ(set.status, 200) << set.body;
  ASSERT_TRUE(join("ams-1", token()));
  ASSERT_TRUE(join("ams-2", token(R"({"segment":"tv"})")));
  auto const tenants = client_of("ams-2");
  EXPECT_EQ(ask(*tenants, "/v1/links").status, 403);
  EXPECT_EQ(ask(*tenants, "/v1/examination", "POST").status, 403);
  EXPECT_EQ(ask(*tenants, "/v1/report", "POST", "{}").status, 204) << "it says how it fares";
  EXPECT_EQ(ask(*tenants, "/v1/findings?number=1", "POST", "{}").status, 204);
  EXPECT_EQ(ask(*client_of("ams-1"), "/v1/links").status, 200);
}

TEST_F(ControllerTest, ANameThatComesBackHasNoReportOfBefore) {
  ASSERT_TRUE(join("ams-1", token()));
  EXPECT_EQ(ask(*client_of("ams-1"), "/v1/report", "POST", R"({"revision":3})").status, 204);
  EXPECT_THAT(admin("GET", "/v1/nodes").body, HasSubstr("\"report\""));
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-1").status, 204);
  EXPECT_THAT(admin("GET", "/v1/nodes").body, testing::Not(HasSubstr("\"report\"")));
}

// What can only be known beside the numbers given before is said like any other mistake in the text.
TEST_F(ControllerTest, NumbersThatAreNotToBeHadAreRefusedWithTheirLines) {
  std::string const removed = "  - {name: aaa-1, site: ams, role: edge, underlay: [192.0.2.3]}\n";
  ASSERT_EQ(admin("PUT", "/v1/topology", topology(removed)).status, 200);
  ASSERT_EQ(admin("PUT", "/v1/topology", topology()).status, 200);
  auto const before = admin("GET", "/v1/world").body;
  auto const answer = admin("PUT", "/v1/topology",
                            topology("  - {name: fra-1, id: 1, site: ams, role: edge, underlay: [192.0.2.4]}\n"
                                     "  - {name: fra-2, id: 3, site: ams, role: edge, underlay: [192.0.2.5]}\n"));
  EXPECT_EQ(answer.status, 422) << answer.body;
  auto const detail = std::string(json::parse(answer.body).at("detail").as_string());
  EXPECT_THAT(detail, HasSubstr("request body:9:23: nodes[2].id: the id 1 is that of node 'ams-1'"));
  EXPECT_THAT(detail,
              HasSubstr("request body:10:23: nodes[3].id: the id 3 was that of node 'aaa-1', which was removed"));
  EXPECT_THAT(detail, HasSubstr("another id, or none"));
  std::string small = topology(removed);
  small.replace(small.find("10.200.0.0/16"), 13, "10.200.0.0/30");
  auto const full = admin("PUT", "/v1/topology", small);
  EXPECT_EQ(full.status, 422) << full.body;
  EXPECT_EQ(admin("GET", "/v1/world").body, before) << "nothing changed";
}

// The controller chooses, the allocation keeps, and whoever builds the world has the links.
TEST_F(ControllerTest, RepairLinksAreChosenOnceAndTravelInTheAllocation) {
  auto const text = [](std::string const& mesh) {
    std::string out =
        "name: test\ndomain: stream.example\nmesh: {shape: links" + mesh + "}\nsites: [{name: s}]\nnodes:\n";
    for (int i = 1; i <= 5; ++i) {
      auto const number = std::to_string(i);
      out += "  - {name: n" + number + ", site: s, underlay: [192.0.2." + number + "]}\n";
    }
    return out + "links: [{ends: [n1, n2]}, {ends: [n2, n3]}, {ends: [n3, n4]}, {ends: [n4, n5]}, {ends: [n5, n1]}]\n";
  };
  auto const links = [&] {
    auto const world = signed_world::parse_signed_world(admin("GET", "/v1/world").body).value();
    auto const document = plan::parse_world_document(world.text).value();
    EXPECT_FALSE(world.signature.empty());
    std::set<std::string> out;
    for (auto const& link : plan::build_world(document).value().topology.links) {
      if (link.repair) {
        out.insert(link.name());
      }
    }
    return out;
  };
  ASSERT_EQ(admin("PUT", "/v1/topology", text("")).status, 200);
  EXPECT_TRUE(links().empty());
  ASSERT_EQ(admin("PUT", "/v1/topology", text(", repair_links: auto")).status, 200);
  auto const chosen = links();
  EXPECT_EQ(chosen.size(), 3U);
  auto const first = admin("PUT", "/v1/topology", text(", repair_links: auto")).body;
  EXPECT_EQ(admin("PUT", "/v1/topology", text(", repair_links: auto")).body, first) << "the same again is no revision";
  EXPECT_EQ(links(), chosen);
  ASSERT_EQ(admin("PUT", "/v1/topology", text(", repair_links: off")).status, 200);
  EXPECT_TRUE(links().empty());
}

TEST_F(ControllerTest, ABadTopologyIsRefusedWithEveryProblemAndChangesNothing) {
  ASSERT_TRUE(join("ams-1", token()));
  auto const client = client_of("ams-1");
  auto const before = world(*client);
  auto const answer = admin("PUT", "/v1/topology",
                            topology("  - {name: x-1, site: nowhere, underlay: [192.0.2.3]}\n"
                                     "  - {name: x-2, site: ams, role: sentral, underlay: [192.0.2.4]}\n"));
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, testing::AllOf(HasSubstr("nowhere"), HasSubstr("sentral")));
  EXPECT_EQ(world(*client), before);
}

TEST_F(ControllerTest, WhateverIsWrongWithATokenTheAnswerIsTheSame) {
  auto revoked = token();
  admin("DELETE", "/v1/tokens/" + revoked.id);
  auto guessed = token();
  guessed.secret = std::string(64, '0');
  auto unknown = token();
  unknown.id = "0123456789abcdef";
  auto const used = token();
  ASSERT_TRUE(join("ams-1", used));
  std::set<std::string> answers;
  for (auto const& bad : {revoked, guessed, unknown, used, token(R"({"node":"ams-1"})"), token(R"({"role":"central"})"),
                          token(R"({"address":"192.0.2.0/24"})"), token(R"({"purpose":"operator","node":"alice"})")}) {
    auto const joined = join("ams-2", bad);
    ASSERT_FALSE(joined);
    answers.insert(joined.error().what());
  }
  EXPECT_THAT(answers, testing::ElementsAre(HasSubstr(std::string(enrolment::refusal_text))));
}

TEST_F(ControllerTest, AnOperatorLooksOnFromElsewhereAndChangesNothing) {
  auto settings = node("alice");
  settings.as_operator = true;
  auto const given = token(R"({"purpose":"operator","node":"alice"})");
  auto const joined = test::run_task(loop_, enrolment::join(settings, given));
  ASSERT_TRUE(joined) << joined.error().what();
  auto const client = client_of("alice");
  EXPECT_EQ(ask(*client, "/v1/status").status, 200);
  EXPECT_EQ(ask(*client, "/v1/nodes").status, 200);
  EXPECT_EQ(ask(*client, "/v1/world?since=0").status, 403);
  EXPECT_EQ(ask(*client, "/v1/nodes/ams-1", "DELETE").status, 404) << "no such route on the network";
  ASSERT_TRUE(join("ams-1", token()));
  EXPECT_EQ(ask(*client_of("ams-1"), "/v1/nodes").status, 403) << "a node is no operator";
  EXPECT_EQ(admin("DELETE", "/v1/nodes/alice.operator").status, 204);
  EXPECT_EQ(ask(*client, "/v1/status").status, 403);
}

TEST_F(ControllerTest, ADrainedNodeIsInTheWorldUntilItIsUndrained) {
  ASSERT_TRUE(join("ams-1", token()));
  auto const client = client_of("ams-1");
  auto const before = world(*client).revision;
  EXPECT_EQ(admin("POST", "/v1/nodes/ams-1/drain").status, 204);
  auto const drained = world(*client);
  EXPECT_GT(drained.revision, before);
  EXPECT_EQ(drained.draining, std::set<std::string>{"ams-1"});
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-1/drain").status, 204);
  EXPECT_TRUE(world(*client).draining.empty());
  EXPECT_EQ(admin("POST", "/v1/nodes/stranger/drain").status, 404);
}

TEST_F(ControllerTest, ARemovedNodesKeyIsNamedInEveryWorldFromThenOn) {
  ASSERT_TRUE(join("ams-1", token()));
  ASSERT_TRUE(join("ams-2", token()));
  auto const client = client_of("ams-1");
  auto const key = world(*client).nodes.at("ams-2");
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-2").status, 204);
  EXPECT_EQ(world(*client).removed, std::set<std::string>{key});
}

TEST_F(ControllerTest, AnOlderStoreThatWasPutBackLearnsFromWhatANodeShows) {
  ASSERT_TRUE(join("ams-1", token()));
  ASSERT_TRUE(join("ams-2", token()));
  auto const client = client_of("ams-1");
  auto const store = folder_.file("controller/controller.db");
  controller_->stop();
  controller_.reset();
  std::filesystem::copy_file(store, store + ".copy");
  start();
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-2").status, 204);
  auto const shown = ask(*client, "/v1/world?since=0").body;
  auto const newest = opened(shown);
  controller_->stop();
  controller_.reset();
  for (auto const* rest : {"-wal", "-shm"}) {
    std::filesystem::remove(store + rest);
  }
  std::filesystem::rename(store + ".copy", store);
  start();
  auto const poll = "/v1/world?since=" + std::to_string(newest.revision);
  EXPECT_EQ(ask(*client, "/v1/world", "POST", shown).status, 200) << "not asked for, and not looked at";
  EXPECT_EQ(ask(*client, "/v1/world", "POST", "nonsense").status, 200);
  EXPECT_EQ(world(*client).nodes.size(), 2U);
  auto const told = ask(*client, poll);
  EXPECT_EQ(told.status, 409) << told.body;
  EXPECT_LT(json::parse(told.body).at("revision").as_int64(), newest.revision);
  auto const status = [&] { return json::parse(admin("GET", "/v1/status").body); };
  EXPECT_EQ(status().at("behind").at("seen").as_int64(), newest.revision);
  EXPECT_EQ(status().at("behind").at("by").as_string(), "ams-1");
  EXPECT_EQ(world(*client).nodes.size(), 2U) << "nobody has shown it anything";
  auto forged = shown;
  forged.replace(forged.find("ams-2"), 5, "ams-3");
  EXPECT_EQ(ask(*client, "/v1/world", "POST", forged).status, 422);
  EXPECT_EQ(ask(*client, poll).status, 409);
  EXPECT_EQ(ask(*client, "/v1/rotation", "POST", R"({"next_key":"x","proof":"y"})").status, 503);
  EXPECT_EQ(ask(*client, "/v1/world", "POST", shown).status, 200);
  EXPECT_TRUE(status().at("behind").is_null());
  auto const after = ask(*client, poll);
  ASSERT_EQ(after.status, 200) << after.body;
  EXPECT_GT(opened(after.body).revision, newest.revision);
  EXPECT_EQ(opened(after.body).nodes.size(), 1U);
  EXPECT_EQ(opened(after.body).removed, newest.removed);
  EXPECT_EQ(ask(*client_of("ams-2"), "/v1/world?since=0").status, 403);
}

TEST_F(ControllerTest, AKeyIsChangedInThreeSteps) {
  ASSERT_TRUE(join("ams-1", token()));
  ASSERT_TRUE(join("ams-2", token()));
  auto const client = client_of("ams-1");
  auto const next = wireguard::PrivateKey::generate();
  auto const shown = wireguard::public_key(next).to_base64();
  auto const greeting = json::parse(ask(*client, "/v1/join").body);
  auto const controller =
      wireguard::PublicKey::from_base64(std::string(greeting.at("x25519_public").as_string())).value();
  auto const offer = [&](wireguard::PrivateKey const& key) {
    auto const proof =
        enrolment::proof_of_possession(key, controller, enrolment::rotation_proof, "ams-1", shown).value();
    return ask(*client, "/v1/rotation", "POST", json::serialize(json::object{{"next_key", shown}, {"proof", proof}}))
        .status;
  };
  EXPECT_EQ(offer(next), 403) << "nobody asked for it";
  EXPECT_EQ(admin("POST", "/v1/rotation").status, 204);
  EXPECT_EQ(world(*client).rotate, std::set<std::string>{"ams-1"}) << "neighbours one after the other";
  EXPECT_EQ(offer(wireguard::PrivateKey::generate()), 403) << "shown by who does not hold it";
  EXPECT_EQ(offer(next), 204);
  EXPECT_EQ(offer(next), 204) << "the answer may have been lost";
  auto const changing = world(*client);
  EXPECT_EQ(changing.next_keys.at("ams-1"), shown);
  auto const old = changing.nodes.at("ams-1");
  auto const done = [&](std::string const& key) {
    return ask(*client, "/v1/rotation", "POST", json::serialize(json::object{{"done", key}})).status;
  };
  EXPECT_EQ(done(old.substr(1)), 409);
  EXPECT_EQ(done(shown), 204);
  EXPECT_EQ(done(shown), 204);
  auto const changed = world(*client);
  EXPECT_EQ(changed.nodes.at("ams-1"), shown);
  EXPECT_EQ(changed.generations.at("ams-1"), 1U);
  EXPECT_EQ(changed.removed, std::set<std::string>{old}) << "an older world does not bring it back";
  EXPECT_EQ(changed.rotate, std::set<std::string>{"ams-2"});
}

TEST_F(ControllerTest, BadTokenTermsAreRefusedAndAGivenTokenCanBeRevoked) {
  for (auto const* terms :
       {R"({"uses":0})", R"({"lifetime_s":-1})", R"({"node":"stranger"})", R"({"uses":"many"})", R"({"role":"queen"})",
        R"({"segment":"red"})", R"({"address":"here"})", R"({"purpose":"party"})", R"({"purpose":"operator"})",
        R"({"purpose":"operator","node":"a","role":"edge"})"}) {
    EXPECT_EQ(admin("POST", "/v1/tokens", terms).status, 422) << terms;
  }
  EXPECT_EQ(admin("POST", "/v1/tokens", "nonsense").status, 400);
  auto const given = token();
  auto const listed = admin("GET", "/v1/tokens").body;
  EXPECT_THAT(listed, HasSubstr(given.id));
  EXPECT_EQ(listed.find(given.secret), std::string::npos);
  EXPECT_EQ(admin("DELETE", "/v1/tokens/" + given.id).status, 204);
  EXPECT_EQ(admin("DELETE", "/v1/tokens/0000").status, 404);
  EXPECT_FALSE(join("ams-1", given));
}

TEST_F(ControllerTest, EverythingIsThereAfterARestart) {
  auto const given = token(R"({"uses":2})");
  ASSERT_TRUE(join("ams-1", given));
  auto const before = world(*client_of("ams-1"));
  controller_->stop();
  controller_.reset();
  start("");
  EXPECT_EQ(world(*client_of("ams-1")), before);
  EXPECT_TRUE(join("ams-2", given)) << "the fingerprint that tokens pin is the same";
}

TEST_F(ControllerTest, ATopologyThatWasSetOutlivesARestart) {
  auto const third = [](std::string const& name) {
    return "  - {name: " + name + ", site: ams, role: edge, underlay: [192.0.2.3]}\n";
  };
  auto const restart = [&] {
    controller_->stop();
    controller_.reset();
    start();
    return json::parse(admin("GET", "/v1/status").body).as_object();
  };
  auto const edit_file = [&](std::string const& text) {
    ASSERT_TRUE(process::write_file_atomically(folder_.file("topology.yaml"), text, 0644));
  };
  ASSERT_TRUE(join("ams-1", token()));
  ASSERT_EQ(admin("PUT", "/v1/topology", topology(third("ams-3"))).status, 200);
  auto const set = world(*client_of("ams-1"));
  EXPECT_EQ(restart().at("topology_file"), "superseded");
  EXPECT_EQ(world(*client_of("ams-1")), set);
  edit_file(topology(third("ams-4")));
  EXPECT_EQ(restart().at("topology_file"), "conflicting");
  EXPECT_EQ(world(*client_of("ams-1")), set) << "which of two changes is meant is the operator's to say";
  ASSERT_EQ(admin("PUT", "/v1/topology", topology(third("ams-4"))).status, 200);
  EXPECT_EQ(restart().at("topology_file"), "taken");
  edit_file(topology(third("ams-5")));
  EXPECT_EQ(restart().at("topology_file"), "taken") << "nothing else was set since, so an edited file is what is meant";
  EXPECT_EQ(world(*client_of("ams-1")).topology, topology(third("ams-5")));
}

TEST_F(ControllerTest, ASecondControllerOnTheSameStateIsRefused) {
  controller::ControllerSettings settings;
  settings.state = folder_.file("controller");
  settings.listen = "127.0.0.1:0";
  settings.unix_path = folder_.file("other.sock");
  EXPECT_FALSE(controller::Controller::open(loop_.get_executor(), settings));
}

TEST_F(ControllerTest, ATopologyFileWithMistakesDoesNotStart) {
  ASSERT_TRUE(process::write_file_atomically(folder_.file("bad.yaml"), "name: [", 0644));
  controller::ControllerSettings settings;
  settings.state = folder_.file("second");
  settings.topology_file = folder_.file("bad.yaml");
  settings.listen = "127.0.0.1:0";
  settings.unix_path = folder_.file("other.sock");
  auto const opened = controller::Controller::open(loop_.get_executor(), settings);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, world_store::errc::bad_topology);
  EXPECT_THAT(opened.error().detail, HasSubstr("bad.yaml"));
}

}  // namespace
}  // namespace controller_tests
