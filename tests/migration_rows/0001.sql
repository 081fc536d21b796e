-- A row in every table, as revision 0001 has them. {bytes} is the type of binary columns.
INSERT INTO groups (id, name, created_at) VALUES
    (1, 'admin', '2026-11-22 09:30:00.000000'),
    (2, 'alice', '2026-11-22 09:31:00.123456');
INSERT INTO users (id, username, password_hash, outside_subject, role, hide_welcome_popup, created_at) VALUES
    (1, 'admin', '$argon2id$hash', NULL, 'Admin', TRUE, '2026-11-22 09:30:00.000000'),
    (2, 'alice', NULL, 'subject-7', 'User', FALSE, '2026-11-22 09:31:00.123456');
INSERT INTO memberships (user_id, group_id) VALUES (1, 1), (2, 2);
INSERT INTO api_clients (id, client_id, name, description, role, grants, redirect_uris, secret_sha256, generation,
    revoked_at, created_at) VALUES
    (1, 'lab-1a2b', 'lab', 'The laboratory', 'agent', '["client_credentials"]', '[]', 'a1b2c3', 2, NULL,
        '2026-11-22 09:32:00.000000'),
    (2, 'pages', 'pages', '', 'login', '["authorization_code"]', '["https://qa.example.com/back"]', NULL, 0,
        '2026-11-23 09:32:00.000000', '2026-11-22 09:32:00.000000');
INSERT INTO signing_keys (id, kid, private_key, public_key, signs_from, is_disabled, created_at) VALUES
    (1, 'key-1', CAST('sealed key' AS {bytes}), '{"kty": "RSA"}', 0.0, FALSE, '2026-11-22 09:30:00.000000');
INSERT INTO instance (id, public_url) VALUES (1, 'https://opendai.example.com');
INSERT INTO browser_sessions (id, user_id, cookie_sha256, authenticated, expires) VALUES
    ('00000000-0000-4000-8000-000000000001', 2, 'c00c1e', 1795000000.5, 1795036000.5);
INSERT INTO logins (id, user_id, client_id, browser_session_id, scope, authenticated, expires, generation, rotated)
    VALUES ('00000000-0000-4000-8000-000000000002', 2, 2, '00000000-0000-4000-8000-000000000001', 'openid',
        1795000000.5, 1795036000.5, 3, 1795000100.25);
INSERT INTO authorization_codes (code_sha256, client_id, browser_session_id, redirect_uri, challenge, nonce, scope,
    expires, login_id) VALUES
    ('c0de', 2, '00000000-0000-4000-8000-000000000001', 'https://qa.example.com/back', 'challenge', 'nonce', 'openid',
        1795000060.5, '00000000-0000-4000-8000-000000000002');
INSERT INTO revoked_tokens (jti, expires) VALUES ('00000000-0000-4000-8000-000000000003', 1795000600.0);
INSERT INTO login_attempts (kind, key, count, expires) VALUES ('account', 'a11ce', 3, 1795000300.0);
INSERT INTO audit_events (id, created_at, action, actor_kind, actor, address, target, details, request_id) VALUES
    (1, '2026-11-22 09:31:00.123456', 'user.create', 'user', 'admin', '192.0.2.7', 'user:2',
        '{"username": "alice", "groups": []}', 'request-1');
INSERT INTO licenses (serial_number, text, is_eula_accepted, is_readable, users, executions, expires_at, created_at)
    VALUES (9007199254740993, '{"users": 5, "expires": "2027-12-31"}', TRUE, TRUE, 5, NULL,
        '2028-01-01 00:00:00.000000', '2026-11-22 09:33:00.000000');
INSERT INTO mail_server (id, host, port, username, password, recipient) VALUES
    (1, 'mail.example.com', 587, 'robot', CAST('sealed password' AS {bytes}), 'qa@example.com');
INSERT INTO agents (id, name, recordpath, suite, agenttype, epphost, epptestcontrollerport, eppanalyzerport,
    eppworkspacepath, is_hosted, is_marked_connected, client_id, connected_until, created_at) VALUES
    (1, 'lab', '/records', 'Shop.suite', 'RUN', '10.0.0.9', 5000, 5001, '/workspace', TRUE, FALSE, 1, 1795000030.5,
        '2026-11-22 09:34:00.000000');
INSERT INTO coverage_models (id, name, variable_depth, path_depth, is_active, created_at) VALUES
    (1, 'Pairs', 1, 2, TRUE, '2026-11-22 09:30:00.000000');
INSERT INTO models (id, uuid, name, group_id, agent_id, version_number, created_at, updated_at) VALUES
    (1, '00000000-0000-4000-8000-000000000004', 'Shop', 2, 1, 2, '2026-11-22 09:35:00.000000',
        '2026-11-22 09:36:00.000000');
INSERT INTO model_versions (id, model_id, number, modeljson, passed, failed, broken, created_at) VALUES
    (1, 1, 1, '{"elements": []}', 0, 0, 0, '2026-11-22 09:35:00.000000'),
    (2, 1, 2, '{"elements": [], "name": "Größe"}', 4, 1, 2, '2026-11-22 09:36:00.000000');
INSERT INTO test_cases (id, model_id, name, text, tags, description, origin, external_id, runs, fails, created_at)
    VALUES (1, 1, 'Pay', 'State "Basket"', 'smoke', 'Pays once.', 'RCI', 'PET-1', 5, 1,
        '2026-11-22 09:37:00.000000');
INSERT INTO model_tags (id, model_id, tag, author, created_at) VALUES
    (1, 1, 'release', 'alice', '2026-11-22 09:38:00.000000');
INSERT INTO model_assets (id, model_id, asset_id, created_at) VALUES
    (1, 1, 'asset-7', '2026-11-22 09:38:00.000000');
INSERT INTO transition_totals (version_id, test_case, state, action, passes, fails) VALUES
    (2, 'Pay', 'Basket', 'Pay', 4, 1);
INSERT INTO executions (id, test_config_id, started_by, model_id, group_id, owner_id, own_status, created_at,
    updated_at) VALUES
    ('00000000-0000-4000-8000-000000000005', NULL, 'alice', 1, 2, NULL, NULL, '2026-11-22 09:40:00.000000',
        '2026-11-22 09:41:00.000000'),
    ('00000000-0000-4000-8000-000000000006', '00000000-0000-4000-8000-000000000007', 'alice', NULL, NULL, 2, 'PASSED',
        '2026-11-22 09:40:00.000000', '2026-11-22 09:41:00.000000');
INSERT INTO runs (id, execution_id, model_id, version_id, group_id, model_name, status, reason, generator, seed,
    step_limit, target_coverage, test_case_id, test_case_name, test_case_text, config_step, step_pause_seconds, asset,
    sut, hits, walker, wanted_agent_id, agent_id, attempt, claim_key, lease_ends, last_event, is_abort_requested,
    steps, coverage, failed_state, failed_action, created_at, started_at, occurred_at, ended_at) VALUES
    (1, '00000000-0000-4000-8000-000000000005', 1, 2, 2, 'Shop', 'FAILED', 'The basket is empty.', 'directed',
        9007199254740993, 100, 0.8, 1, 'Pay', 'State "Basket"', 3, 0.5, '{"asset": 1}', '{"sut_id": "s1"}', '[]',
        'agent', 1, 1, 2, '00000000-0000-4000-8000-000000000008', 1795000090.5, 7, FALSE, 5, 0.25, 'Basket', 'Pay',
        '2026-11-22 09:40:00.000000', '2026-11-22 09:40:10.000000', '2026-11-22 09:40:10.000000',
        '2026-11-22 09:41:00.000000');
INSERT INTO run_counts (group_id, model_id, model_name, test_case_name, config_step, status, runs) VALUES
    (2, 1, 'Shop', 'Pay', 3, 'FAILED', 1);
INSERT INTO timings (run_id, attempt, position, state, action, target, phase, is_passed, seconds, message, started_at)
    VALUES (1, 2, 1, 'Basket', 'Pay', 'Paid', 'action', FALSE, 0.125, 'The button is gone.',
        '2026-11-22 09:40:20.000000');
INSERT INTO run_logs (id, run_id, event_time, message, severity, step, stage, message_type, image_name, image_id)
    VALUES (1, 1, '2026-11-22 09:40:21.000000', 'The button is gone.', 'ERROR', 1, 'action', 'text', 'basket.png',
        'image-1');
INSERT INTO screenshots (id, artifact_id, run_id, object_key, sha256, size, content_type, claimed_type, taken_at,
    name, capture_type, state, action, script, suite, created_at) VALUES
    (1, '00000000-0000-4000-8000-000000000009', 1, 'screenshots/1/basket', CAST('sixteen and sixteen letters here' AS
        {bytes}), 2048, 'image/png', 'image/png', '2026-11-22 09:40:21.000000', 'basket.png', 'error', 'Basket',
        'Pay', 'pay.script', 'Shop.suite', '2026-11-22 09:40:22.000000');
INSERT INTO errors (id, execution_id, run_id, group_id, sender, severity, message, error_time, created_at) VALUES
    (1, '00000000-0000-4000-8000-000000000005', 1, 2, 'lab', 'ERROR', 'The button is gone.',
        '2026-11-22 09:40:21.000000', '2026-11-22 09:40:22.000000');
INSERT INTO doomed_objects (id, object_key, created_at) VALUES
    (1, 'screenshots/0/gone', '2026-11-22 09:42:00.000000');
INSERT INTO ai_servers (id, name, url, description, payload_template, json_path, authentication_header,
    authentication_scheme, timeout_seconds, token, created_by, created_at, last_modified_by, last_modified_at) VALUES
    (1, 'Drafts', 'https://ai.example.com/draft', NULL, '{"prompt": "{{requirement}}"}', 'choices[0].text',
        'Authorization', 'Bearer', 30, CAST('sealed token' AS {bytes}), 'admin', '2026-11-22 09:43:00.000000', 'admin',
        '2026-11-22 09:44:00.000000');
INSERT INTO generations (id, server_id, model_id, owner_id, started_by, requirement, status, attempt, claimable_from,
    stage, reason, proposals, created_at, started_at, ended_at) VALUES
    (1, 1, 1, 2, 'alice', 'A customer pays.', 'FINISHED', 1, 1795000000.5, NULL, '', '[{"id": 1, "name": "Pay"}]',
        '2026-11-22 09:45:00.000000', '2026-11-22 09:45:01.000000', '2026-11-22 09:45:09.000000');
