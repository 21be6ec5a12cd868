"""The comparison takes what was recorded, and nothing else."""

import unittest
from datetime import datetime, timezone

from answers import at, grouped
from compare import Mismatch, Variables, match


def differs(recorded, answered, literals=""):
    try:
        match(recorded, answered, Variables({"<region>": "us-east-1"}, literals))
    except Mismatch:
        return True
    return False


class Compare(unittest.TestCase):
    def test_placeholders_are_variables(self):
        recorded = {"A": "<name:1>", "B": "x/<name:1>/<region>", "C": "<name:2>"}
        self.assertFalse(differs(recorded, {"A": "a", "B": "x/a/us-east-1", "C": "b"}))
        self.assertTrue(differs(recorded, {"A": "a", "B": "x/b/us-east-1", "C": "b"}))
        self.assertTrue(differs(recorded, {"A": "a", "B": "x/a/us-east-1", "C": "a"}))
        self.assertTrue(differs(recorded, {"A": "a", "B": "x/a/eu-west-1", "C": "b"}))

    def test_members_are_neither_missing_nor_added(self):
        self.assertFalse(differs({"A": [], "B": True}, {"A": [], "B": True}))
        self.assertTrue(differs({"A": [], "B": True}, {"A": []}))
        self.assertTrue(differs({"A": []}, {"A": [], "B": True}))
        self.assertTrue(differs({"A": 1}, {"A": True}))

    def test_times_and_texts_that_the_recorder_hid(self):
        now = datetime.now(timezone.utc)
        self.assertFalse(differs({"Timestamp": "timestamp", "StatusReason": "status-reason"},
                                 {"Timestamp": now, "StatusReason": "anything"}))
        self.assertTrue(differs({"Timestamp": "timestamp", "StatusReason": "other"},
                                {"Timestamp": now, "StatusReason": "anything"}))
        self.assertFalse(differs({"EventId": "A-DONE-date"}, {"EventId": "A-DONE-2024-01-02T03:04:05.678Z"}))

    def test_random_endings_are_variables_unless_they_were_asked_for(self):
        self.assertFalse(differs({"A": "CFN-A-xvqPt7CmcHKX", "B": "CFN-A-xvqPt7CmcHKX"},
                                 {"A": "CFN-A-gE4nEU6CQEj9", "B": "CFN-A-gE4nEU6CQEj9"}))
        self.assertTrue(differs({"A": "CFN-A-xvqPt7CmcHKX", "B": "CFN-A-xvqPt7CmcHKX"},
                                {"A": "CFN-A-gE4nEU6CQEj9", "B": "CFN-A-aaaaaaaaaaa9"}))
        self.assertFalse(differs("stack-0d03b713", "stack-11111111"))
        self.assertTrue(differs("stack-0d03b713", "stack-11111111", literals="stack-0d03b713"))

    def test_order_counts_where_it_is_known(self):
        one, two = {"Key": "<a:1>", "Value": "1"}, {"Key": "<a:2>", "Value": "2"}
        found = [{"Key": "y", "Value": "2"}, {"Key": "x", "Value": "1"}]
        self.assertFalse(differs({"Tags": [one, two]}, {"Tags": found}))
        self.assertTrue(differs({"StackEvents": [one, two]}, {"StackEvents": found}))
        self.assertTrue(differs({"Tags": [one]}, {"Tags": found}))

    def test_texts_that_hold_json(self):
        self.assertFalse(differs({"Body": {"a": [1]}}, {"Body": '{"a": [1]}'}))
        self.assertTrue(differs({"Body": {"a": [1]}}, {"Body": '{"a": [2]}'}))
        self.assertTrue(differs({"Body": {"a": [1]}}, {"Body": "{"}))


class Answers(unittest.TestCase):
    def test_paths(self):
        answer = {"Stacks": [{"Name": "a", "Tags": [{"Key": "k"}]}, {"Name": "b", "Tags": []}]}
        self.assertEqual(at(answer, "Stacks[0].Name"), "a")
        self.assertEqual(at(answer, "Stacks.*.Name"), ["a", "b"])
        self.assertEqual(at([answer, answer], "*.Stacks.*"), answer["Stacks"] * 2)
        self.assertEqual(at(answer, ""), answer)

    def test_events_are_grouped_with_the_last_of_repeated_statuses(self):
        def event(status, physical_id, logical_id="A"):
            return {"LogicalResourceId": logical_id, "PhysicalResourceId": physical_id, "ResourceStatus": status,
                    "ResourceType": "T", "StackId": "s", "Timestamp": 0}

        newest_first = [event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "s", "n"), event("DONE", "i"), event("DOING", "i"),
                        event("DOING", "")]
        statuses = [(it["ResourceStatus"], it["PhysicalResourceId"]) for it in grouped(newest_first)["A"]]
        self.assertEqual(statuses, [("DOING", "i"), ("DONE", "i")])


if __name__ == "__main__":
    unittest.main()
