package org.millrace.acceptance;

import java.util.Objects;
import org.mlflow.tracking.MlflowClientException;

/** Assertions whose failure says what was expected and what the server answered. */
final class Expectations {
  static void expect(boolean condition, String message) {
    if (!condition) throw new AssertionError(message);
  }

  static void expectEqual(Object expected, Object actual, String what) {
    if (!Objects.equals(expected, actual)) {
      throw new AssertionError(what + ": expected " + expected + ", got " + actual);
    }
  }

  /** The call must fail, with this error code in the body that the server sent. */
  static void expectRefused(Runnable call, String code, String what) {
    try {
      call.run();
    } catch (MlflowClientException error) {
      String message = String.valueOf(error.getMessage());
      // The exception of an HTTP error holds the body in its fields, not in its message.
      String details = message + " " + bodyOf(error);
      expect(details.contains(code), what + ": " + code + " is not in " + details);
      return;
    }
    throw new AssertionError(what + ": expected " + code + ", but the call succeeded");
  }

  private static String bodyOf(MlflowClientException error) {
    if (error instanceof org.mlflow.tracking.MlflowHttpException) {
      return ((org.mlflow.tracking.MlflowHttpException) error).getBodyMessage();
    }
    return "";
  }

  private Expectations() {}
}
