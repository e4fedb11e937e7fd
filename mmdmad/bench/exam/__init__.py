"""The exams of the agents: questions, lies and paraphrases, and how they are graded."""
