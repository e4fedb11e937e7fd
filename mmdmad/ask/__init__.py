"""Questions to a run as typed queries, one registry for chat, reports and exams."""
