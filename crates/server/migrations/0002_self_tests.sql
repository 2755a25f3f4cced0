-- Reports of device checks that people have sent to the court; what was measured, no sound and no picture.
CREATE TABLE self_tests (
    id         INTEGER PRIMARY KEY,
    hearing    TEXT    NOT NULL,
    seat       TEXT    NOT NULL,
    sent_at    BIGINT  NOT NULL,
    report     TEXT    NOT NULL,
    FOREIGN KEY (hearing, seat) REFERENCES seats (hearing, id)
);
CREATE INDEX self_tests_by_seat ON self_tests (hearing, seat, sent_at);
